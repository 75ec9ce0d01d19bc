#include "tests/twins/twins.h"

namespace twins {

using namespace tg;

namespace {

using Tensors = std::vector<Tensor>;

// The text, the first state, and what `call` gives of a module and normal inputs of these shapes.
template <class M>
Outcome called(M&& module, const std::vector<Dims>& shapes, auto call) {
    Outcome o{module.text()};
    for (const auto& [name, t] : module.state_dict()) o.tensors.push_back(clone(t));
    Tensors inputs;
    for (const Dims& shape : shapes) inputs.push_back(random_leaf(shape));
    add_gradients(o, module, inputs, call(module, inputs));
    return o;
}

const auto stateless = [](auto& module, const Tensors& x) {
    const auto [output, h_n] = module(x[0]);
    return Tensors{output, h_n};
};
const auto with_state = [](auto& module, const Tensors& x) {
    const auto [output, h_n] = module(x[0], x[1]);
    return Tensors{output, h_n};
};
const auto with_two_states = [](auto& module, const Tensors& x) {
    const auto [output, last] = module(x[0], {x[1], x[2]});
    return Tensors{output, last.h, last.c};
};
const auto alone = [](auto& module, const Tensors& x) { return Tensors{module(x[0])}; };

void recurrent_cases() {
    twin("RNN", [] { return called(nn::RNN(3, 4), {{5, 2, 3}}, stateless); });
    twin("RNN with all options", [] {
        return called(nn::RNN(3, 4,
                              {.num_layers = 2,
                               .nonlinearity = "relu",
                               .bias = false,
                               .batch_first = true,
                               .dropout = 0.25,
                               .bidirectional = true}),
                      {{2, 5, 3}, {4, 2, 4}}, with_state);
    });
    twin("LSTM", [] {
        return called(nn::LSTM(3, 4), {{5, 2, 3}, {1, 2, 4}, {1, 2, 4}}, with_two_states);
    });
    twin("LSTM of two layers", [] {
        return called(nn::LSTM(3, 4, {.num_layers = 2, .dropout = 0.5, .bidirectional = true}),
                      {{5, 3}, {4, 4}, {4, 4}}, with_two_states);
    });
    twin("GRU", [] {
        return called(nn::GRU(3, 4, {.batch_first = true}), {{2, 5, 3}, {1, 2, 4}}, with_state);
    });
    twin("RNNCell", [] { return called(nn::RNNCell(3, 4, true, "relu"), {{2, 3}}, alone); });
    twin("LSTMCell", [] {
        return called(nn::LSTMCell(3, 4), {{2, 3}, {2, 4}, {2, 4}},
                      [](nn::LSTMCell& module, const Tensors& x) {
                          const auto [h, c] = module(x[0], {x[1], x[2]});
                          return Tensors{h, c};
                      });
    });
    twin("GRUCell", [] { return called(nn::GRUCell(3, 4, false), {{3}}, alone); });
}

// q, k and v from one input, or from three
Tensors attended(nn::MultiheadAttention& module, const Tensors& x, const nn::AttentionCall& call) {
    const auto [output, weights] = module(x[0], x.back(), x.size() > 2 ? x[1] : x.back(), call);
    return {output, weights};
}

void attention_cases() {
    const Tensor causal = triu(ones({3, 3}), 1) == 1;
    const Tensor padding = tensor({{0, 0, 1}, {0, 0, 0}}) == 1;
    twin("MultiheadAttention", [] {
        return called(nn::MultiheadAttention(6, 2), {{3, 2, 6}},
                      [](auto& m, const Tensors& x) { return attended(m, x, {}); });
    });
    twin("MultiheadAttention with masks", [&] {
        return called(nn::MultiheadAttention(6, 2, {.dropout = 0.1, .batch_first = true}),
                      {{2, 3, 6}}, [&](auto& m, const Tensors& x) {
                          return attended(m, x,
                                          {.key_padding_mask = padding,
                                           .attn_mask = causal,
                                           .average_attn_weights = false});
                      });
    });
    twin("MultiheadAttention of other sizes", [] {
        return called(nn::MultiheadAttention(6, 3, {.bias = false, .kdim = 5, .vdim = 4}),
                      {{2, 6}, {3, 4}, {3, 5}}, [](auto& m, const Tensors& x) {
                          return attended(m, x, {.attn_mask = arange(6).reshape({2, 3}) / 6});
                      });
    });
    twin("TransformerEncoderLayer", [] {
        return called(nn::TransformerEncoderLayer(6, 2, {.dim_feedforward = 8}), {{3, 2, 6}},
                      alone);
    });
    twin("TransformerEncoderLayer, norm first", [&] {
        return called(
            nn::TransformerEncoderLayer(6, 2,
                                        {.dim_feedforward = 8,
                                         .dropout = 0,
                                         .activation = [](const Tensor& x) { return gelu(x); },
                                         .batch_first = true,
                                         .norm_first = true}),
            {{2, 3, 6}}, [&](auto& m, const Tensors& x) {
                return Tensors{m(x[0], {causal, padding, true})};
            });
    });
    twin("TransformerEncoder", [] {
        return called(
            nn::TransformerEncoder(nn::TransformerEncoderLayer(6, 2, {.dim_feedforward = 8}), 2,
                                   std::make_shared<nn::LayerNorm>(6)),
            {{3, 2, 6}}, alone);
    });
}

}  // namespace

void sequence_cases() {
    recurrent_cases();
    attention_cases();
}

}  // namespace twins
