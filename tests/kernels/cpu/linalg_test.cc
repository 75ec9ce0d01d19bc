#include "kernels/cpu/linalg.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/ops.h"

using namespace tg;
using namespace tg::kernels;

namespace {

// Whole numbers, different in every matrix, and a large diagonal so that each has an inverse.
Tensor matrices(std::int64_t batch, std::int64_t rows, std::int64_t columns) {
    const Tensor x = empty({batch, rows, columns}, {DType::float64});
    auto* p = static_cast<double*>(x.data());
    for (std::int64_t i = 0; i < x.numel(); ++i)
        p[i] = static_cast<double>((7 * i * i + 3 * i) % 13);
    for (std::int64_t b = 0; b < batch; ++b)
        for (std::int64_t k = 0; k < std::min(rows, columns); ++k)
            p[(b * rows + k) * columns + k] += 40;
    return x;
}

Tensor like(const Dims& shape) { return zeros(shape, {DType::float64}); }

double distance(const Tensor& a, const Tensor& b) {
    return a.numel() == 0 ? 0 : amax(abs(sub(a, b))).item<double>();
}

}  // namespace

TEST_CASE("each matrix of a batch is solved, whatever its strides are") {
    for (const std::int64_t n : {0, 1, 2, 7, 8, 9, 33}) {
        const Tensor a = matrices(3, n, n), b = matrices(3, n, 2), x = like({3, n, 2});
        CHECK(!cpu::solve(array_of(x), array_of(a), array_of(b), false));
        CHECK(distance(matmul(a, x), b) < 1e-9);
        const Tensor turned = transpose(a, -2, -1), y = like({3, n, 2});
        CHECK(!cpu::solve(array_of(y), array_of(turned), array_of(b), false));
        CHECK(distance(matmul(turned, y), b) < 1e-9);
        const Tensor one = select(a, 0, 1);  // broadcasts to the batch
        CHECK(!cpu::solve(array_of(y), array_of(one), array_of(b), false));
        CHECK(distance(matmul(one, y), b) < 1e-9);
    }
}

TEST_CASE("factors of tall, wide and square matrices multiply to them") {
    for (const std::int64_t m : {1, 2, 15, 16, 17, 40})
        for (const std::int64_t n : {1, 2, 16, 33}) {
            const std::int64_t k = std::min(m, n);
            const Tensor a = matrices(2, m, n);
            const Tensor q = like({2, m, k}), r = like({2, k, n});
            CHECK(!cpu::qr(array_of(q), array_of(r), array_of(a)));
            CHECK(distance(matmul(q, r), a) < 1e-9);
            CHECK(distance(triu(r), r) == 0);
            const Tensor u = like({2, m, m}), s = like({2, k}), vh = like({2, n, n});
            CHECK(!cpu::svd(array_of(u), array_of(s), array_of(vh), array_of(a)));
            const Tensor scaled = mul(slice(u, -1, 0, k), unsqueeze(s, -2));
            CHECK(distance(matmul(scaled, slice(vh, -2, 0, k)), a) < 1e-9);
            CHECK(distance(matmul(u, transpose(u, -2, -1)),
                           expand(eye(m, {}, {DType::float64}), {2, m, m})) < 1e-12);
        }
}

TEST_CASE("a kernel gives the number of the first matrix on which it fails") {
    Tensor a = matrices(4, 3, 3);
    const Tensor x = like({4, 3, 3}), s = like({4, 3}), info = zeros({4}, {DType::int32});
    select(a, 0, 2).zero_();
    CHECK(cpu::solve(array_of(x), array_of(a), array_of(a), false) == 2);
    CHECK(!cpu::solve(array_of(x), array_of(a), array_of(a), true));
    CHECK(std::isinf(select(x, 0, 2).select(0, 0).select(0, 0).item<double>()));
    CHECK(cpu::cholesky(array_of(x), array_of(info), array_of(a), true) == 2);
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
        select(a, 0, 1).fill_(bad);
        CHECK(cpu::svd(array_of(x), array_of(s), array_of(x), array_of(a)) == 1);
        CHECK(cpu::eigh(array_of(s), array_of(x), array_of(a)) == 1);
        CHECK(cpu::pinv(array_of(x), array_of(a), 0, 0) == 1);
        CHECK(!cpu::cofactor(array_of(x), array_of(a)));
        CHECK(std::isnan(sum(select(x, 0, 1)).item<double>()));
        CHECK(std::isfinite(sum(select(x, 0, 3)).item<double>()));
    }
}
