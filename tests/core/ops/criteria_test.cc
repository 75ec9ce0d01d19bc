// Losses, distances, shrinks, resizing and windows as columns: numbers that PyTorch 2.15 gave.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers x{{2, 3}, {-1.5, 0.3, 2, -0.25, 1, 3}};
const Numbers y{{2, 3}, {0.5, 1.25, -1, 0.75, 0.2, 2}};
const Numbers p{{2, 3}, {0.2, 0.7, 0.9, 0.4, 0.5, 0.1}};  // probabilities
const Numbers four{{4}, {-1.5, 0.3, 2, -0.25}};

std::vector<Row> rows() {
    return {
        {.op = "huber_loss",
         .f = [](const Tensors& t) { return huber_loss(t[0], t[1], "none", 0.7); },
         .inputs = {x, y},
         .expected = {{2, 3},
                      {1.1549999999999998, 0.42, 1.8549999999999998, 0.45499999999999996, 0.315,
                       0.45499999999999996}},
         .tolerance = 1e-6,
         .misuse = [] { huber_loss(ones({2}), ones({2}), "mean", 0); },
         .error = "huber_loss: delta is 0, not above 0"},
        {.op = "binary_cross_entropy",
         .f = [](const Tensors& t) { return binary_cross_entropy(t[0], t[1], {}, "none"); },
         .inputs = {p, p},
         .expected = {{2, 3},
                      {0.5004024235381879, 0.6108643020548935, 0.3250829733914482,
                       0.6730116670092565, 0.6931471805599453, 0.3250829733914482}},
         .tolerance = 1e-6},
        {.op = "poisson_nll_loss",
         .f = [](const Tensors& t) { return poisson_nll_loss(t[0], t[1], {.full = true}); },
         .inputs = {x, p},
         .expected = {{}, {5.022444100228867}},
         .tolerance = 1e-6},
        {.op = "gaussian_nll_loss",
         .f = [](const Tensors& t) { return gaussian_nll_loss(t[0], t[1], t[2]); },
         .inputs = {x, y, p},
         .expected = {{}, {3.2571491114022426}},
         .tolerance = 1e-6},
        {.op = "soft_margin_loss",
         .f = [](const Tensors& t) { return soft_margin_loss(t[0], t[1]); },
         .inputs = {x, y},
         .expected = {{}, {0.8631370208954383}},
         .tolerance = 1e-6},
        {.op = "cosine_similarity",
         .f = [](const Tensors& t) { return cosine_similarity(t[0], t[1]); },
         .inputs = {x, y},
         .expected = {{2}, {-0.5624354930492654, 0.883497335561837}},
         .tolerance = 1e-6},
        {.op = "pairwise_distance",
         .f = [](const Tensors& t) { return pairwise_distance(t[0], t[1], 2, 0.1); },
         .inputs = {x, y},
         .expected = {{2}, {3.7339657202497185, 1.6822603841260724}},
         .tolerance = 1e-6},
        {.op = "normalize",
         .f = [](const Tensors& t) { return normalize(t[0]); },
         .inputs = {x},
         .expected = {{2, 3},
                      {-0.5957261030921532, 0.11914522061843064, 0.7943014707895376,
                       -0.07881104062391006, 0.31524416249564025, 0.9457324874869207}},
         .tolerance = 1e-6},
        {.op = "triplet_margin_loss",
         .f =
             [](const Tensors& t) { return triplet_margin_loss(t[0], t[1], t[2], {.swap = true}); },
         .inputs = {x, y, p},
         .expected = {{}, {1.6988334848415239}},
         .tolerance = 1e-6},
        {.op = "multilabel_soft_margin_loss",
         .f = [](const Tensors& t) { return multilabel_soft_margin_loss(t[0], t[1]); },
         .inputs = {x, p},
         .expected = {{}, {0.9517474987441766}},
         .tolerance = 1e-6},
        {.op = "selu",
         .f = [](const Tensors& t) { return selu(t[0]); },
         .inputs = {x},
         .expected = {{2, 3},
                      {-1.3658143533672527, 0.31521029620664415, 2.101401974710961,
                       -0.388890197478119, 1.0507009873554805, 3.1521029620664414}},
         .tolerance = 1e-6},
        {.op = "celu",
         .f = [](const Tensors& t) { return celu(t[0], 0.5); },
         .inputs = {x},
         .expected = {{2, 3}, {-0.475106465816068, 0.3, 2.0, -0.1967346701436833, 1.0, 3.0}},
         .tolerance = 1e-6,
         .misuse = [] { celu(ones({2}), 0); },
         .error = "celu: alpha is 0, and divides"},
        {.op = "hardshrink",
         .f = [](const Tensors& t) { return hardshrink(t[0]); },
         .inputs = {x},
         .expected = {{2, 3}, {-1.5, 0.0, 2.0, 0.0, 1.0, 3.0}},
         .tolerance = 1e-6},
        {.op = "softshrink",
         .f = [](const Tensors& t) { return softshrink(t[0]); },
         .inputs = {x},
         .expected = {{2, 3}, {-1.0, 0.0, 1.5, -0.0, 0.5, 2.5}},
         .tolerance = 1e-6},
        {.op = "threshold",
         .f = [](const Tensors& t) { return threshold(t[0], 0.5, 7); },
         .inputs = {x},
         .expected = {{2, 3}, {7.0, 7.0, 2.0, 7.0, 1.0, 3.0}},
         .tolerance = 1e-6},
        {.op = "unfold",
         .f =
             [](const Tensors& t) {
                 return unfold(reshape(t[0], {1, 1, 2, 3}), {.kernel = {2}, .padding = {0, 1}});
             },
         .inputs = {x},
         .expected = {{1, 4, 4},
                      {0.0, -1.5, 0.3, 2.0, -1.5, 0.3, 2.0, 0.0, 0.0, -0.25, 1.0, 3.0, -0.25, 1.0,
                       3.0, 0.0}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 unfold(ones({1, 1, 2, 2}), {.kernel = {3}});
             },
         .error = "unfold: a window spans 3 in dim -2, more than an image of (2, 2) with padding "
                  "(0, 0) has"},
        {.op = "fold",
         .f =
             [](const Tensors& t) {
                 return fold(reshape(t[0], {1, 2, 3}), {1, 4}, {.kernel = {1, 2}});
             },
         .inputs = {x},
         .expected = {{1, 1, 1, 4}, {-1.5, 0.04999999999999999, 3.0, 3.0}},
         .tolerance = 1e-6},
        {.op = "interpolate",
         .f =
             [](const Tensors& t) {
                 return interpolate(unsqueeze(t[0], 0), {.size = {5}, .mode = "linear"});
             },
         .inputs = {x},
         .expected = {{1, 2, 5},
                      {-1.5, -0.7800000000000001, 0.3, 1.3199999999999998, 2.0, -0.25,
                       0.24999999999999994, 1.0, 2.1999999999999997, 3.0}},
         .tolerance = 1e-6},
        {.op = "pixel_shuffle",
         .f =
             [](const Tensors& t) {
                 return pixel_shuffle(reshape(t[0], {4, 1, 1}), 2);
             },
         .inputs = {four},
         .expected = {{1, 2, 2}, {-1.5, 0.3, 2.0, -0.25}},
         .tolerance = 1e-6},
        {.op = "avg_pool1d",
         .f = [](const Tensors& t) { return avg_pool1d(t[0], {.kernel = {2}, .stride = {1}}); },
         .inputs = {x},
         .expected = {{2, 2}, {-0.6, 1.15, 0.375, 2.0}},
         .tolerance = 1e-6},
        {.op = "max_pool1d",
         .f = [](const Tensors& t) { return max_pool1d(t[0], {.kernel = {2}, .stride = {1}}); },
         .inputs = {x},
         .expected = {{2, 2}, {0.3, 2.0, 1.0, 3.0}},
         .tolerance = 1e-6},
    };
}

}  // namespace
}  // namespace tg::test

TEST_CASE("losses, shrinks and resizing: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::rows()) tg::test::check(row);
}

TEST_CASE("a CTC loss adds up all ways: -1, 1-, 11 and -- of two steps, three of which spell 1") {
    using namespace tg;
    const Tensor half = log(full({2, 1, 2}, 0.5, {DType::float64}));
    const auto one = [](std::int64_t n) { return tensor(std::vector<std::int64_t>{n}); };
    const Tensor loss = ctc_loss(half, reshape(one(1), {1, 1}), one(2), one(1));
    CHECK(loss.item<double>() == doctest::Approx(-std::log(0.75)));
}
