// What twins.cc and its cases share: a case is a name, a text and tensors, printed so that Python
// can compare every bit.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tapegraph.h"

namespace twins {

using tg::Dims;
using tg::Tensor;

struct Outcome {
    std::string text = {};
    std::vector<Tensor> tensors = {};  // an undefined one stands for None
};

// Seeds the generator with 0, and prints what f gives.
void twin(const std::string& name, const std::function<Outcome()>& f);

// Appends y, and the gradients of the sum of y^2 by the inputs and parameters.
void add_gradients(Outcome& o, const tg::nn::Module& module, const std::vector<Tensor>& inputs,
                   const std::vector<Tensor>& outputs);
// The text, the state before, and the outcome of one call with normal numbers; the state after it.
Outcome layer(tg::nn::Layer&& layer, const Dims& shape);

Tensor random_leaf(const Dims& shape);  // normal numbers that require a gradient

void basic_cases();      // Linear, Sequential, activations, nn.init
void image_cases();      // convolutions, pooling
void row_cases();        // normalisation, dropout, embedding, losses, nn.utils
void optimiser_cases();  // optimisers, schedules
void sequence_cases();   // recurrent layers, attention

}  // namespace twins
