// A multilayer perceptron on made-up digits: 200 steps of SGD with momentum give the same losses
// and weights to the last bit, as a tape and as a program: each executor, on each level, with 1 and
// 2 threads.
#include <doctest/doctest.h>

#include <cstring>

#include "core/nn/nn.h"
#include "core/optim/optim.h"
#include "graph/compile.h"
#include "kernels/cpu/cpu.h"
#include "kernels/parallel.h"

using namespace tg;

namespace {

using Tensors = std::vector<Tensor>;

constexpr std::int64_t features = 64, classes = 10, rows = 320, batch = 32;

// Each class has a pattern of its own; a row is its class's pattern and noise.
struct Digits {
    Tensor x, y;
};

Digits made_up() {
    manual_seed(11);
    const Tensor patterns = rand({classes, features});
    const Tensor labels = argmax(rand({rows, classes}), 1);
    const Tensor picked = matmul(cast(one_hot(labels, classes), DType::float32), patterns);
    return {picked + rand({rows, features}) * 0.5, labels};
}

struct Trained {
    std::vector<float> numbers;  // losses, then all weights
    float first = 0, last = 0;
};

Trained trained(const Digits& digits, const Executor* executor, int steps) {
    manual_seed(5);
    nn::Sequential model{nn::Linear(features, 32), nn::ReLU(), nn::Linear(32, classes)};
    optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.9});
    const Compiled::Function step = [&](const Tensors& in) {
        sgd.zero_grad();
        const Tensor loss = cross_entropy(model(in[0]), in[1]);
        loss.backward();
        sgd.step();
        return Tensors{loss};
    };
    Compiled compiled("step", step, {.executor = executor ? *executor : Executor::lines});
    Trained t;
    for (int k = 0; k < steps; ++k) {
        const std::int64_t from = k * batch % rows;
        const Tensors in{digits.x.slice(0, from, from + batch),
                         digits.y.slice(0, from, from + batch)};
        t.numbers.push_back((executor ? compiled(in) : step(in))[0].item<float>());
    }
    if (executor) CHECK(compiled.traces().size() == 1);
    t.first = t.numbers.front();
    t.last = t.numbers.back();
    for (const Tensor& p : model.parameters()) {
        const auto* w = static_cast<const float*>(p.data());
        t.numbers.insert(t.numbers.end(), w, w + p.numel());
    }
    return t;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

struct Restore {
    std::string level = kernels::cpu::level();
    int threads = kernels::num_threads();
    ~Restore() {
        kernels::cpu::set_level(level.c_str());
        kernels::set_num_threads(threads);
    }
};

}  // namespace

TEST_CASE(
    "200 steps of training are the same to the last bit in every mode, on each level, with 1 and 2 "
    "threads") {
    const Restore restore;
    const Digits digits = made_up();
    for (const char* level : kernels::cpu::levels()) {
        CAPTURE(std::string(level));
        REQUIRE(kernels::cpu::set_level(level));
        kernels::set_num_threads(1);
        // From level to level products may round otherwise: v3 and v4 fuse multiply and add.
        const Trained tape = trained(digits, nullptr, 200);
        CHECK(tape.last < 0.1f * tape.first);
        for (int threads : {1, 2}) {
            CAPTURE(threads);
            kernels::set_num_threads(threads);
            CHECK(same_bits(trained(digits, nullptr, 200).numbers, tape.numbers));
            for (const Executor executor : {Executor::lines, Executor::planned, Executor::fused}) {
                CAPTURE(std::string(name_of(executor)));
                CHECK(same_bits(trained(digits, &executor, 200).numbers, tape.numbers));
            }
        }
    }
}
