// Attention and its gradient, by every rung, against their definition in double.
#include <doctest/doctest.h>

#include "tests/kernels/cuda/against_cpu.h"

namespace tg::kernels::cuda {
namespace {

struct Sizes {
    std::int64_t B, L, S, E, V;
};
// One of everything; parts of a tile; several tiles, and columns beyond 32 and 64; more queries
// than keys; rows as long as tiles take (of doubles only where they are 64 or less).
const Sizes cases[] = {{1, 1, 1, 1, 1},    {2, 5, 7, 3, 4},   {3, 17, 33, 33, 2},
                       {1, 40, 70, 8, 64}, {2, 70, 20, 5, 5}, {1, 3, 34, 128, 100}};

// A (B, rows, width) of doubles, zero at first.
struct Numbers3 {
    std::int64_t rows, width;
    std::vector<double> data;
    Numbers3(std::int64_t batch, std::int64_t its_rows, std::int64_t its_width)
        : rows(its_rows),
          width(its_width),
          data(static_cast<std::size_t>(batch * its_rows * its_width)) {}
    double& operator()(std::int64_t b, std::int64_t i, std::int64_t c) {
        return data[static_cast<std::size_t>((b * rows + i) * width + c)];
    }
};

template <class T>
struct Operand {
    Dims shape;
    Both<T> both;
    Operand(const Dims& its_shape, const Dims& strides, std::uint64_t seed)
        : shape(its_shape), both(varied<T>(its_shape, strides, seed)) {}
    Operand(const Dims& its_shape, Numbers3& x) : shape(its_shape), both(rounded(its_shape, x)) {}
    double operator()(std::int64_t b, std::int64_t i, std::int64_t c) {
        return static_cast<double>(both.host[(b * shape[1] + i) * shape[2] + c]);
    }
    const Array& array() const { return both.device.array; }

  private:
    static Numbers<T> rounded(const Dims& shape, Numbers3& x) {
        Numbers<T> y(shape);
        for (std::int64_t i = 0; i < y.count(); ++i)
            y[i] = static_cast<T>(x.data[static_cast<std::size_t>(i)]);
        return y;
    }
};

// Inputs with gaps and turned strides, and all that should come of them.
template <class T>
struct Problem {
    Sizes n;
    bool causal;
    double scale = 0.7;
    Operand<T> q, k, v, g;
    Numbers3 y, lse, delta, dq, dk, dv;

    Problem(const Sizes& sizes, bool is_causal)
        : n(sizes),
          causal(is_causal),
          q({n.B, n.L, n.E}, doubled({n.B, n.L, n.E}), 1),
          k({n.B, n.S, n.E}, first_dim_fastest({n.B, n.S, n.E}), 2),
          v({n.B, n.S, n.V}, contiguous({n.B, n.S, n.V}), 3),
          g({n.B, n.L, n.V}, first_dim_fastest({n.B, n.L, n.V}), 4),
          y(n.B, n.L, n.V),
          lse(n.B, n.L, 1),
          delta(n.B, n.L, 1),
          dq(n.B, n.L, n.E),
          dk(n.B, n.S, n.E),
          dv(n.B, n.S, n.V) {
        for (std::int64_t b = 0; b < n.B; ++b)
            for (std::int64_t i = 0; i < n.L; ++i) solve(b, i);
    }

    void solve(std::int64_t b, std::int64_t i) {
        const std::int64_t keys = causal && i < n.S ? i + 1 : n.S;
        std::vector<double> p(static_cast<std::size_t>(keys));
        double total = 0;
        for (std::int64_t j = 0; j < keys; ++j) {
            double s = 0;
            for (std::int64_t c = 0; c < n.E; ++c) s += q(b, i, c) * k(b, j, c);
            total += p[static_cast<std::size_t>(j)] = std::exp(scale * s);
        }
        lse(b, i, 0) = std::log(total);
        for (std::int64_t j = 0; j < keys; ++j)
            for (std::int64_t c = 0; c < n.V; ++c)
                y(b, i, c) += (p[static_cast<std::size_t>(j)] /= c == 0 ? total : 1) * v(b, j, c);
        for (std::int64_t c = 0; c < n.V; ++c) delta(b, i, 0) += g(b, i, c) * y(b, i, c);
        for (std::int64_t j = 0; j < keys; ++j) {
            const double weight = p[static_cast<std::size_t>(j)];
            double dp = 0;
            for (std::int64_t c = 0; c < n.V; ++c) {
                dp += g(b, i, c) * v(b, j, c);
                dv(b, j, c) += weight * g(b, i, c);
            }
            const double ds = weight * (dp - delta(b, i, 0));
            for (std::int64_t c = 0; c < n.E; ++c) {
                dq(b, i, c) += scale * ds * k(b, j, c);
                dk(b, j, c) += scale * ds * q(b, i, c);
            }
        }
    }

    static Dims doubled(const Dims& shape) {
        Dims strides = contiguous(shape);
        for (std::int64_t& s : strides) s *= 2;
        return strides;
    }
};

// A result with gaps between its elements.
template <class T>
struct Result {
    Dims shape;
    Both<T> both;
    explicit Result(const Dims& its_shape)
        : shape(its_shape), both(its_shape, Problem<T>::doubled(its_shape)) {}
    const Array& array() const { return both.device.array; }
    void check(const Numbers3& expected) {
        for (std::int64_t i = 0; i < both.host.count(); ++i)
            both.host[i] = static_cast<T>(expected.data[static_cast<std::size_t>(i)]);
        CHECK(both.differences([](T got, T wanted) {
            const T tolerance = 200 * std::numeric_limits<T>::epsilon();
            return same(got, wanted) ||
                   std::abs(got - wanted) <= tolerance * (1 + std::abs(wanted));
        }) == 0);
    }
};

template <class T>
bool takes(const char* rung, const Sizes& n) {
    const std::int64_t most = static_cast<std::int64_t>(512 / sizeof(T));
    return std::string(rung) != "by tiles" || (n.E <= most && n.V <= most && n.S > 0);
}

template <class T>
void check_forward(Attention* kernel, Problem<T>& x, bool runs) {
    Result<T> y({x.n.B, x.n.L, x.n.V}), lse({x.n.B, x.n.L, 1});
    REQUIRE(runs == kernel(y.array(), lse.array(), x.q.array(), x.k.array(), x.v.array(), x.scale,
                           x.causal));
    if (!runs) return;
    y.check(x.y);
    lse.check(x.lse);
}

template <class T>
void check_gradient(AttentionGradient* kernel, Problem<T>& x, bool runs) {
    const Operand<T> lse({x.n.B, x.n.L, 1}, x.lse), delta({x.n.B, x.n.L, 1}, x.delta);
    Result<T> dq({x.n.B, x.n.L, x.n.E}), dk({x.n.B, x.n.S, x.n.E}), dv({x.n.B, x.n.S, x.n.V});
    const AttentionGradientArrays in = {x.q.array(), x.k.array(),   x.v.array(),
                                        lse.array(), delta.array(), x.g.array()};
    REQUIRE(runs == kernel(dq.array(), dk.array(), dv.array(), in, x.scale, x.causal));
    if (!runs) return;
    dq.check(x.dq);
    dk.check(x.dk);
    dv.check(x.dv);
}

template <class T>
void check_all(const Sizes& sizes) {
    for (const bool causal : {false, true}) {
        CAPTURE(sizes.L);
        CAPTURE(sizes.S);
        CAPTURE(causal);
        Problem<T> x(sizes, causal);
        for (const auto& rung : attention_rungs_here()) {
            CAPTURE(std::string(rung.name));
            check_forward<T>(rung.run, x, takes<T>(rung.name, sizes));
        }
        check_forward<T>(backend().attention, x, true);
        for (const auto& rung : attention_gradient_rungs_here()) {
            CAPTURE(std::string(rung.name));
            check_gradient<T>(rung.run, x, takes<T>(rung.name, sizes));
        }
        check_gradient<T>(backend().attention_gradient, x, true);
    }
}

}  // namespace

TEST_CASE_TEMPLATE("attention and its gradient", T, float, double) {
    for (const Sizes& sizes : cases) check_all<T>(sizes);
}

TEST_CASE_TEMPLATE("attention of rows longer than a tile takes", T, float, double) {
    const std::int64_t most = static_cast<std::int64_t>(512 / sizeof(T));
    check_all<T>({1, 2, 3, most + 1, 2});
    check_all<T>({1, 2, 3, 2, most + 1});
}

TEST_CASE("attention of nothing, and to nothing") {
    for (const Sizes& sizes : {Sizes{0, 2, 3, 4, 5}, Sizes{2, 0, 3, 4, 5}, Sizes{2, 3, 0, 4, 5}})
        check_all<float>(sizes);
}

TEST_CASE_TEMPLATE("scores of infinities and NaN, and those that overflow e^x", T, float, double) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    // Keys of one number, of which a query of 1 makes the score. 40 of them are two tiles.
    const std::vector<std::vector<double>> keys = {
        {-inf, 0}, {0, -inf}, {-inf, -inf}, {1000, -1000}, {inf, 0}, {NAN, 0}, {0, NAN}};
    for (const std::vector<double>& halves : keys) {
        CAPTURE(halves);
        Numbers<T> query({1, 1, 1}), key({1, 40, 1}), value({1, 40, 1});
        query[0] = 1;
        double total = 0, sum = 0;
        const double most = std::max(halves[0], halves[1]);
        for (std::int64_t j = 0; j < 40; ++j) {
            const double score = halves[j < 33 ? 0 : 1];
            key[j] = static_cast<T>(score);
            value[j] = static_cast<T>(j);
            total += std::exp(score - most);
            sum += std::exp(score - most) * static_cast<double>(j);
        }
        const OnDevice<T> q(query), k(key), v(value);
        Numbers3 expected(1, 1, 1);
        expected(0, 0, 0) = sum / total;
        for (const auto& rung : attention_rungs_here()) {
            CAPTURE(std::string(rung.name));
            Result<T> y({1, 1, 1}), lse({1, 1, 1});
            REQUIRE(rung.run(y.array(), lse.array(), q.array, k.array, v.array, 1, false));
            y.check(expected);
        }
    }
}

}  // namespace tg::kernels::cuda
