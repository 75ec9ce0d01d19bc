// Whole numbers at random: an order of 0 .. n - 1, and columns drawn by their weights.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <new>
#include <numeric>
#include <vector>

#include "kernels/cpu/cpu.h"
#include "kernels/parallel.h"
#include "kernels/philox.h"

namespace tg::kernels::cpu {

// From the last place on, each takes one of the numbers that are still before it or at it: all n!
// orders are as likely. [Fisher and Yates 1938; Durstenfeld 1964]
void shuffle(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    auto* y = static_cast<std::int64_t*>(out.data);
    const std::int64_t n = out.size(), step = out.strides[0];
    for (std::int64_t i = 0; i < n; ++i) y[i * step] = i;
    for (std::int64_t i = n - 1; i > 0; --i) {
        const double u = philox::uniform<double>(seed, offset + static_cast<std::uint64_t>(i));
        const auto j = static_cast<std::int64_t>(u * static_cast<double>(i + 1));
        std::swap(y[i * step], y[std::min(i, j) * step]);
        if (i % (1 << 20) == 0 && stopping()) return;
    }
}

namespace {

struct Row {
    const double* x;
    std::int64_t step;
    double operator[](std::int64_t i) const { return x[i * step]; }
};

Row row_of(const Array& a, std::int64_t row) {
    return {static_cast<const double*>(a.data) + row * a.strides[0], a.strides[1]};
}

// u falls into the part of [0, total) that belongs to a column: [sum before it, sum with it).
void draw_again_and_again(Row weights, Row u, std::int64_t columns, std::int64_t samples,
                          std::int64_t* to, std::int64_t step) {
    std::vector<double> sums(static_cast<std::size_t>(columns));
    double total = 0;
    std::int64_t last = 0;  // with a weight: where rounding may carry u past the end
    for (std::int64_t j = 0; j < columns; ++j) {
        total += weights[j];
        sums[static_cast<std::size_t>(j)] = total;
        if (weights[j] > 0) last = j;
    }
    for (std::int64_t k = 0; k < samples; ++k) {
        const auto found = std::upper_bound(sums.begin(), sums.end(), u[k] * total);
        to[k * step] = std::min<std::int64_t>(found - sums.begin(), last);
    }
}

// Each column runs for a time of exponential distribution, -log(1 - u) / weight; the first ones to
// arrive are a draw without replacement. A column of weight 0 never does, and comes last.
// [Efraimidis and Spirakis 2006]
void draw_first_arrived(Row weights, Row u, std::int64_t columns, std::int64_t samples,
                        std::int64_t* to, std::int64_t step) {
    std::vector<double> time(static_cast<std::size_t>(columns));
    std::vector<std::int64_t> order(time.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    for (std::int64_t j = 0; j < columns; ++j)
        time[static_cast<std::size_t>(j)] = weights[j] > 0
                                                ? -formula::log_of(1 - u[j]) / weights[j]
                                                : std::numeric_limits<double>::infinity();
    const auto earlier = [&](std::int64_t a, std::int64_t b) {
        const double x = time[static_cast<std::size_t>(a)], y = time[static_cast<std::size_t>(b)];
        return x != y ? x < y : a < b;
    };
    std::partial_sort(order.begin(), order.begin() + samples, order.end(), earlier);
    for (std::int64_t k = 0; k < samples; ++k) to[k * step] = order[static_cast<std::size_t>(k)];
}

const char* problem_of(Row weights, std::int64_t columns) {
    double total = 0;
    for (std::int64_t j = 0; j < columns; ++j) {
        if (!(weights[j] >= 0) || std::isinf(weights[j]))
            return "a weight is negative, infinite or NaN";
        total += weights[j];
    }
    if (!(total > 0) || std::isinf(total)) return "the weights of a row must add up to more than 0";
    return nullptr;
}

}  // namespace

const char* multinomial(const Array& out, const Array& weights, const Array& u, bool replacement) {
    const std::int64_t columns = weights.shape[1], samples = out.shape[1];
    std::atomic<const char*> problem{nullptr};
    const auto draw_row = [&](std::int64_t row) {
        const Row w = row_of(weights, row);
        if (const char* p = problem_of(w, columns)) {
            problem.store(p);
            return;
        }
        auto* to = static_cast<std::int64_t*>(out.data) + row * out.strides[0];
        const auto draw = replacement ? draw_again_and_again : draw_first_arrived;
        draw(w, row_of(u, row), columns, samples, to, out.strides[1]);
    };
    const std::int64_t grain = std::max<std::int64_t>(1, 4096 / std::max<std::int64_t>(columns, 1));
    parallel_for(out.shape[0], grain, [&](std::int64_t begin, std::int64_t end) {
        try {
            for (std::int64_t row = begin; row < end; ++row) draw_row(row);
        } catch (const std::bad_alloc&) {
            problem.store("there is no memory for a row's sums");
        }
    });
    return problem.load();
}

}  // namespace tg::kernels::cpu
