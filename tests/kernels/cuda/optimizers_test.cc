#include "kernels/cpu/optimizers.h"

#include <doctest/doctest.h>

#include "tests/kernels/cuda/against_cpu.h"

namespace tg::kernels::cuda {
namespace {

// The operands of a step over tensors of these sizes, on the host and on the device.
template <class T, class Rule>
struct Step {
    std::vector<std::unique_ptr<Both<T>>> numbers;
    std::vector<std::unique_ptr<Both<double>>> counts;
    std::vector<Array> in, out, in_there, out_there;
    std::vector<Both<T>*> results;

    Both<T>& tensor(std::int64_t n, std::uint64_t seed, bool positive = false) {
        Numbers<T> x = varied<T>({n}, {1}, seed);
        for (std::int64_t i = 0; positive && i < n; ++i) x[i] = std::abs(x[i]);
        return *numbers.emplace_back(std::make_unique<Both<T>>(std::move(x)));
    }
    Both<double>& number(double value) {
        Numbers<double> x((Dims()));
        x[0] = value;
        return *counts.emplace_back(std::make_unique<Both<double>>(std::move(x)));
    }
    template <class B>
    void give(std::vector<Array>& host, std::vector<Array>& there, B& b) {
        host.push_back(b.on_host());
        there.push_back(b.device.array);
    }

    Step(const Rule& rule, const Dims& sizes) {
        give(in, in_there, number(0.01));
        std::uint64_t seed = 1;
        for (const std::int64_t n : sizes) {
            for (int k = 0; k < 2; ++k) give(in, in_there, tensor(n, seed++));
            results.push_back(&tensor(n, seed++));
            give(out, out_there, *results.back());
            for (int k = 0; k < Rule::states; ++k) {
                if (!rule.keeps(k)) continue;
                give(in, in_there, tensor(n, seed++, k > 0));
                results.push_back(&tensor(n, seed++));
                give(out, out_there, *results.back());
            }
            if (!rule.counts()) continue;
            give(in, in_there, number(static_cast<double>(seed % 3)));
            give(out, out_there, number(-1));
        }
    }
    void check() {
        for (Both<T>* result : results)
            CHECK(result->differences([](T a, T b) { return agree(a, b); }) == 0);
        for (auto& count : counts)
            CHECK(count->differences([](double a, double b) { return a == b; }) == 0);
    }
};

// All that a block or a table may hold, and one more.
std::vector<Dims> lists() {
    Dims many;
    for (std::int64_t k = 0; k < 75; ++k) many.push_back(k);
    return {{0}, {1}, {255, 256, 257}, {4095, 4096, 4097, 0, 9000}, many};
}

const SgdRule sgds[] = {
    {},
    {.weight_decay = 0.1, .maximize = true},
    {.momentum = 0.9, .nesterov = true},
    {.momentum = 0.9, .dampening = 0.5, .weight_decay = 0.1},
};
const AdamRule adams[] = {
    {},
    {.weight_decay = 0.1, .maximize = true},
    {.beta1 = 0.4, .weight_decay = 0.1, .amsgrad = true, .decoupled = true},
};

bool refused(const Array& p, const Array& g) {
    Numbers<double> rate((Dims()));
    const OnDevice lr(rate);
    const Array in[] = {lr.array, p, g}, out[] = {p};
    return !backend().sgd({}, {out, 1}, {in, 3});
}

}  // namespace

TEST_CASE_TEMPLATE("every rung of SGD has the CPU's bits", T, float, double) {
    for (const SgdRule& rule : sgds)
        for (const Dims& sizes : lists())
            for (const auto& rung : sgd_rungs_here()) {
                CAPTURE(rung.name);
                Step<T, SgdRule> step(rule, sizes);
                cpu::sgd(rule, step.out, step.in);
                REQUIRE(rung.run(rule, step.out_there, step.in_there));
                step.check();
            }
}

TEST_CASE_TEMPLATE("every rung of Adam has the CPU's bits", T, float, double) {
    for (const AdamRule& rule : adams)
        for (const Dims& sizes : lists())
            for (const auto& rung : adam_rungs_here()) {
                CAPTURE(rung.name);
                Step<T, AdamRule> step(rule, sizes);
                cpu::adam(rule, step.out, step.in);
                REQUIRE(rung.run(rule, step.out_there, step.in_there));
                step.check();
            }
}

TEST_CASE("integers, and numbers with gaps between them, are refused") {
    Both<std::int32_t> whole({4}, {1});
    CHECK(refused(whole.device.array, whole.device.array));
    Both<float> line({4}, {1}), gaps({4}, {2});
    CHECK(refused(line.device.array, gaps.device.array));
    CHECK_FALSE(refused(line.device.array, line.device.array));
}

}  // namespace tg::kernels::cuda
