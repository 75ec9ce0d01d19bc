#include "core/ops/optimizers.h"

#include <doctest/doctest.h>

#include "kernels/cuda/cuda.h"
#include "kernels/simt/observer.h"
#include "tapegraph.h"
#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

Tensor rate(const Tensor& like, double lr) { return full({}, lr, {DType::float64, like.device()}); }

// The first results of a step of two tensors, one after the other.
Tensor joined(const Outputs& y, int each) {
    Tensors parts;
    for (int k = 0; k < y.size(); k += each) parts.push_back(y[k]);
    return cat(parts, 0);
}

// p, g, b, p, g, b
Tensor f_sgd(const Tensors& x) {
    const kernels::SgdRule rule{.momentum = 0.5, .weight_decay = 0.5, .nesterov = true};
    std::vector<Arg> args{rate(x[0], 0.5)};
    for (const Tensor& t : x) args.emplace_back(t);
    return joined(apply_all(ops::fused_sgd, args, attrs_of(rule)), 2);
}

Tensor f_adam(const Tensors& x) {
    const kernels::AdamRule rule{.beta1 = 0.5, .beta2 = 0.75, .eps = 0};
    std::vector<Arg> args{rate(x[0], 0.5)};
    for (std::size_t i = 0; i < x.size(); ++i) {
        args.emplace_back(x[i]);
        if (i % 4 == 3) args.emplace_back(rate(x[0], 1));
    }
    return joined(apply_all(ops::fused_adam, args, attrs_of(rule)), 4);
}

}  // namespace

std::vector<Row> optimizer_rows() {
    return {
        // d = g + p / 2, b' = b / 2 + d, p - (d + b' / 2) / 2
        {.op = "fused_sgd",
         .f = f_sgd,
         .inputs =
             {{{2}, {2, 4}}, {{2}, {1, 0}}, {{2}, {4, -4}}, {{1}, {0}}, {{1}, {8}}, {{1}, {0}}},
         .expected = {{3}, {2 - 1.0 - 1.0, 4 - 1.0, -6}},
         .order = 0,
         .misuse =
             [] {
                 apply_all(ops::fused_sgd,
                           std::vector<Arg>{rate(ones({1}), 1), ones({2}), ones({3})},
                           attrs_of(kernels::SgdRule{}));
             },
         .error = "fused_sgd: a tensor is float32 (2,), and its gradient or state float32 (3,)"},
        {.op = "fused_sgd",
         .f = f_sgd,
         .inputs = {{{1}, {0}}, {{1}, {8}}, {{1}, {0}}},
         .expected = {{1}, {-6}},
         .order = 0,
         .misuse =
             [] {
                 apply_all(ops::fused_sgd, std::vector<Arg>{ones({}), ones({2}), ones({2})},
                           attrs_of(kernels::SgdRule{}));
             },
         .error = "fused_sgd: the learning rate is float32 (), and must be a float64 of no dims"},
        // At the second step m is divided by 3 / 4 and v by 7 / 16.
        // m' = (m + g) / 2 = 3, v' = (3 v + g^2) / 4 = 7, p - 1 / 2 (3 / (3 / 4)) / sqrt(16)
        {.op = "fused_adam",
         .f = f_adam,
         .inputs = {{{1}, {1}}, {{1}, {4}}, {{1}, {2}}, {{1}, {4}}},
         .expected = {{1}, {0.5}},
         .order = 0,
         .tolerance = 1e-6,
         .misuse =
             [] {
                 apply_all(ops::fused_adam, std::vector<Arg>{rate(ones({1}), 1), ones({2})},
                           attrs_of(kernels::AdamRule{}));
             },
         .error = "fused_adam: 2 inputs are not a learning rate and 5 for each tensor"},
    };
}

}  // namespace tg::test

TEST_CASE("optimisers' ops: values, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::optimizer_rows()) tg::test::check(row);
}

namespace {

int launches = 0;

// How often a kernel is launched in `work`.
int launches_in(const auto& work) {
    static const simt::Observer counter = {
        .launch_begins = [](const simt::Launch&) { ++launches; }};
    launches = 0;
    simt::observer = &counter;
    work();
    simt::observer = nullptr;
    return launches;
}

}  // namespace

TEST_CASE("on cuda a step of ten tensors is one launch, and has the CPU's bits") {
    using namespace tg;
    if (!kernels::cuda::backend().emulated) return;
    for (const bool adam : {false, true}) {
        std::vector<Tensor> made[2];
        for (const Device device : {Device::cpu, Device::cuda}) {
            std::vector<Tensor>& params = made[static_cast<int>(device)];
            for (std::int64_t n = 1; n <= 10; ++n) {
                Tensor p = to(cast(arange(n * n), DType::float32), device);
                params.push_back(p.requires_grad_());
                params.back().set_grad(sin(p.detach()));
            }
            std::unique_ptr<optim::Optimizer> optimizer;
            if (adam)
                optimizer = std::make_unique<optim::Adam>(params);
            else
                optimizer =
                    std::make_unique<optim::SGD>(params, optim::SGDOptions{.momentum = 0.9});
            for (int k = 0; k < 2; ++k) {
                const int count = launches_in([&] { optimizer->step(); });
                CHECK(count == (device == Device::cuda ? 1 : 0));
            }
        }
        for (std::size_t k = 0; k < 10; ++k)
            CHECK(all(eq(made[0][k], to(made[1][k], Device::cpu))).item<bool>());
    }
}
