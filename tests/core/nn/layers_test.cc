// Shapes, names and errors of the layers, and that a compiled training step is the tape's. Their
// numbers are Python's: tests/python/test_twins.py.
#include <doctest/doctest.h>

#include "tapegraph.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

using Names = std::vector<std::string>;
using Tensors = std::vector<Tensor>;

Names names(const nn::Module& module) {
    Names all;
    for (const auto& [name, tensor] : module.state_dict()) all.push_back(name);
    return all;
}

Floats state(const nn::Module& module) {
    Floats all;
    for (const auto& [name, tensor] : module.state_dict())
        for (const float x : numbers(tensor)) all.push_back(x);
    return all;
}

// The losses of four steps on random numbers, and the state after them.
Floats trained(nn::Layer& module, const Dims& shape, bool compiled) {
    const Compiled::Function step = [&](const Tensors& in) {
        module.zero_grad();
        const Tensor y = module(in[0]);
        const Tensor loss = (y * y).mean();
        loss.backward();
        const NoGrad mode;
        for (Tensor p : module.parameters()) p.sub_(p.grad() * 0.1);
        return Tensors{loss};
    };
    Compiled fast("step", step);
    Floats all;
    for (int k = 0; k < 4; ++k) {
        const Tensors in{randn(shape)};
        all.push_back((compiled ? fast(in) : step(in))[0].item<float>());
    }
    if (compiled) CHECK(fast.traces().size() == 1);
    for (const float x : state(module)) all.push_back(x);
    return all;
}

// The encoder as one layer, with a recurrent layer above.
struct Sequences final : nn::Layer {
    nn::TransformerEncoderLayer& encoder = register_module(
        "encoder", nn::TransformerEncoderLayer(4, 2, {.dim_feedforward = 8, .dropout = 0.1}));
    nn::LSTM& lstm = register_module("lstm", nn::LSTM(4, 3, {.num_layers = 2, .dropout = 0.5}));
    Tensor forward(const Tensor& x) override { return lstm(encoder(x)).output; }
};

}  // namespace

TEST_CASE("a compiled training step of layers with state and dropout is the tape's, bit for bit") {
    const auto images = [] {
        return nn::Sequential{nn::Conv2d(2, 4, 3),
                              nn::BatchNorm2d(4),
                              nn::ReLU(),
                              nn::MaxPool2d(2),
                              nn::Dropout(0.25),
                              nn::Flatten(),
                              nn::BatchNorm1d(16, {.momentum = {}}),
                              nn::Linear(16, 3)};
    };
    Floats found[2], sequences[2];
    for (const bool compiled : {false, true}) {
        manual_seed(3);
        nn::Sequential net = images();
        found[compiled] = trained(net, {5, 2, 6, 6}, compiled);
        Sequences other;
        sequences[compiled] = trained(other, {3, 2, 4}, compiled);
    }
    CHECK(found[0] == found[1]);
    CHECK(sequences[0] == sequences[1]);
}

TEST_CASE("a compiled function knows whether its layers are in training, and keeps both traces") {
    nn::Sequential net{nn::Linear(2, 2), nn::Dropout(0.5)};
    Compiled fast("net", [&](const Tensors& in) { return Tensors{net(in[0])}; });
    const Tensors x{ones({1, 2})};
    for (const bool training : {true, false, true, false}) {
        net.train(training);
        manual_seed(4);
        const Floats expected = numbers(net(x[0]));
        manual_seed(4);
        CHECK(numbers(fast(x)[0]) == expected);
    }
    CHECK(fast.traces().size() == 2);
    CHECK(fast.traces()[1].why == "train() or eval() was called");
}

TEST_CASE("BatchNorm's buffers are in the state under PyTorch's names, and used in eval") {
    nn::BatchNorm1d norm(3);
    CHECK(names(norm) ==
          Names{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"});
    const Tensor x = randn({8, 3}) * 2 + 1;
    const Floats trained = numbers(norm(x));
    CHECK(norm.num_batches_tracked.item<std::int64_t>() == 1);
    norm.eval();
    CHECK(numbers(norm(x)) != trained);
    CHECK(norm.num_batches_tracked.item<std::int64_t>() == 1);
    nn::BatchNorm1d other(3);
    other.load_state_dict(norm.state_dict());
    other.eval();
    CHECK(numbers(other(x)) == numbers(norm(x)));
    other.to(DType::float64);
    CHECK(other.running_var.dtype() == DType::float64);
    CHECK(other.num_batches_tracked.dtype() == DType::int64);
    CHECK(names(nn::BatchNorm2d(3, {.affine = false, .track_running_stats = false})).empty());
}

TEST_CASE("the states of recurrent layers and attention have PyTorch's names") {
    CHECK(names(nn::LSTM(2, 3, {.bidirectional = true})) ==
          Names{"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l0_reverse",
                "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse"});
    CHECK(names(nn::GRU(2, 3, {.num_layers = 2, .bias = false})) ==
          Names{"weight_ih_l0", "weight_hh_l0", "weight_ih_l1", "weight_hh_l1"});
    CHECK(names(nn::MultiheadAttention(4, 2)) ==
          Names{"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"});
    CHECK(names(nn::MultiheadAttention(4, 2, {.bias = false, .kdim = 3})) ==
          Names{"q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"});
    const nn::TransformerEncoder encoder(nn::TransformerEncoderLayer(4, 2), 2);
    CHECK(names(encoder).size() == 24);
    CHECK(names(encoder)[12] == "layers.1.self_attn.in_proj_weight");
    CHECK(names(nn::CrossEntropyLoss({.weight = ones({3})})) == Names{"weight"});
}

TEST_CASE("a module that was moved still computes with its own parts") {
    nn::LSTM lstm(2, 3);
    const Tensor x = randn({4, 1, 2});
    const Floats before = numbers(lstm(x).output);
    nn::LSTM moved(std::move(lstm));
    CHECK(numbers(moved(x).output) == before);
    nn::TransformerEncoderLayer layer(4, 2);
    layer.eval();
    const Tensor y = randn({3, 1, 4});
    const Floats encoded = numbers(layer(y));
    nn::TransformerEncoderLayer other(std::move(layer));
    CHECK(numbers(other(y)) == encoded);
}

TEST_CASE("an encoder's layers are copies that draw no random numbers") {
    manual_seed(0);
    const nn::TransformerEncoderLayer layer(4, 2);
    const Floats generator = numbers(rng_state());
    nn::TransformerEncoder encoder(layer, 2);
    CHECK(numbers(rng_state()) == generator);
    CHECK(state(encoder.layers[1]) == state(layer));
    CHECK(!encoder.layers[0].linear1.weight.same(encoder.layers[1].linear1.weight));
}

TEST_CASE("from_pretrained shares its table, and trains it only if asked") {
    const Tensor table = randn({4, 2});
    nn::Embedding frozen = nn::Embedding::from_pretrained(table);
    CHECK(!frozen.weight.requires_grad());
    CHECK(frozen.weight.data() == table.data());
    CHECK(nn::Embedding::from_pretrained(table, false).weight.requires_grad());
}

TEST_CASE("layers say what does not fit them") {
    CHECK(error_of([] { nn::Conv2d(4, 6, 3, {.groups = 3}); }) ==
          "Conv2d: in_channels 4 is no multiple of groups 3");
    CHECK(error_of([] {
              nn::Conv2d(4, 6, {3, 3, 3});
          }) == "Conv2d: kernel_size (3, 3, 3) is neither one number nor 2");
    CHECK(error_of([] { nn::Conv2d(4, 6, 3, {.stride = 2, .padding = "same"}); }) ==
          "Conv2d: padding 'same' needs stride 1, not (2, 2)");
    CHECK(error_of([] { nn::Conv1d(4, 6, 3, {.padding_mode = "none"}); }) ==
          "Conv1d: padding_mode is 'none'; there are zeros, reflect, replicate, circular");
    CHECK(error_of([] { nn::GroupNorm(3, 4); }) ==
          "GroupNorm: num_channels 4 is no multiple of num_groups 3");
    CHECK(error_of([] {
              nn::BatchNorm2d(3)(zeros({2, 3}));
          }).find("input is (N, C, H, W), not (2, 3)") != std::string::npos);
    CHECK(error_of([] {
              nn::BatchNorm1d(3)(zeros({1, 3}));
          }).find("expected more than 1 value per channel when training, got input size (1, 3)") !=
          std::string::npos);
    CHECK(error_of([] { nn::Dropout(1.5); }) == "Dropout: p is a probability, 0 to 1, and not 1.5");
    CHECK(error_of([] { nn::Embedding(3, 2, {.padding_idx = 3}); }) ==
          "Embedding: padding_idx 3 is outside of the 3 rows");
    CHECK(error_of([] { nn::LSTM(2, 0); }) == "LSTM: hidden_size must be 1 or more, not 0");
    CHECK(error_of([] { nn::RNN(2, 3, {.nonlinearity = "elu"}); }) ==
          "RNN: nonlinearity is 'tanh' or 'relu', not 'elu'");
    CHECK(error_of([] {
              nn::GRU(2, 3)(zeros({4, 1, 3}));
          }).find("the last dim of input (4, 1, 3) is 3, and input_size is 2") !=
          std::string::npos);
    CHECK(error_of([] {
              nn::GRU(2, 3)(zeros({4, 1, 2}), zeros({1, 2, 3}));
          }).find("hx is (1, 2, 3), and for input (4, 1, 2) it must be (1, 1, 3)") !=
          std::string::npos);
    CHECK(error_of([] { nn::MultiheadAttention(5, 2); }) ==
          "MultiheadAttention: embed_dim 5 is no multiple of num_heads 2");
    CHECK(error_of([] {
              const Tensor x = zeros({3, 4});
              nn::MultiheadAttention(4, 2)(x, x, x, {.is_causal = true});
          }).find("is_causal needs the attn_mask that is causal") != std::string::npos);
    CHECK(error_of([] {
              nn::ConvTranspose2d(1, 1, 3, {.stride = 2})(zeros({1, 1, 3, 3}), {7, 9});
          }).find("output_size (7, 9) for input (1, 1, 3, 3): 9 is outside of 7..8") !=
          std::string::npos);
}

TEST_CASE("gradients are clipped to a norm, or found to have none") {
    nn::Linear layer(2, 1);
    CHECK(nn::utils::clip_grad_norm_(layer.parameters(), 1).item<double>() == 0);
    layer.weight.set_grad(tensor({{3, 4}}));
    CHECK(nn::utils::clip_grad_norm_(layer.parameters(), 1).item<double>() == 5);
    CHECK(numbers(layer.weight.grad())[0] == doctest::Approx(0.6));
    layer.weight.set_grad(tensor({{std::numeric_limits<double>::infinity(), 4}}));
    CHECK(error_of([&] {
              nn::utils::clip_grad_norm_(layer.parameters(), 1, 2, true);
          }).find("the norm of the gradients is inf, so they cannot be clipped") !=
          std::string::npos);
    CHECK(numbers(layer.weight.grad())[1] == 4);
}
