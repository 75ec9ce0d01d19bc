// vmap: a function of one example becomes one of many. It is called once, on symbols that stand for
// one example, and written down; then its lines are applied again, here and now, to all examples at
// once (core/batching.h). What comes out is ordinary: it runs on the tape, or is written down in
// the recording that is open, and gradients flow through it.
#pragma once

#include <functional>
#include <vector>

#include "core/tensor.h"

namespace tg {

enum class Randomness { error, same, different };

struct VmapOptions {
    Randomness randomness = Randomness::error;
    Where where = Where::here();
    std::string name = "vmap";
};

// The function, of as many arguments as `batched` says; each of these has the examples as its dim
// 0, or is the same for all. The results have them as dim 0, and `same` says which need not have:
// these are as one example has them.
struct Vmapped {
    std::vector<Tensor> results;
    std::vector<bool> same;
};
Vmapped vmap(const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& function,
             const std::vector<Tensor>& arguments, const std::vector<bool>& batched,
             const VmapOptions& options = {});

}  // namespace tg
