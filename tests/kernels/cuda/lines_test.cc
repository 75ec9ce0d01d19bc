// Softmax, cross entropy and layer norm of lines, by every rung, against their definitions.
#include <doctest/doctest.h>

#include <limits>

#include "tests/kernels/cuda/against_cpu.h"

namespace tg::kernels::cuda {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const Dims shapes[] = {{1, 1}, {3, 2}, {9, 31}, {5, 33}, {300, 7}, {2, 1300}, {0, 4}, {4, 0}};

// On the device, in row-major order of the strides given; and the same in double.
template <class T>
struct Matrix {
    Numbers<T> numbers;
    OnDevice<T> device;
    explicit Matrix(Numbers<T> x) : numbers(std::move(x)), device(numbers) {}
    Matrix(const Dims& shape, const Dims& strides, std::uint64_t seed)
        : Matrix(varied<T>(shape, strides, seed)) {}
    const Array& array() const { return device.array; }
    double at(std::int64_t l, std::int64_t i) {
        return static_cast<double>(numbers[l * numbers.shape[1] + i]);
    }
};

// The result on the device, which has gaps between its elements.
template <class T>
struct Result {
    Numbers<T> numbers;
    OnDevice<T> device;
    explicit Result(const Dims& shape) : numbers(shape, spread(shape)), device(numbers) {}
    const Array& array() const { return device.array; }
    // How far element i is from what it should be.
    void check(std::int64_t i, double expected) {
        const double got = static_cast<double>(numbers[i]);
        CAPTURE(i);
        const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
        if (expected != expected)
            CHECK(got != got);
        else if (got != expected)
            CHECK(std::abs(got - expected) <= 100 * epsilon * (1 + std::abs(expected)));
    }
    void fetch() {
        REQUIRE(std::string(backend().last_error()) == "");
        device.fetch(numbers);
    }

  private:
    static Dims spread(const Dims& shape) {
        Dims strides = contiguous(shape);
        for (std::int64_t& s : strides) s *= 2;
        return strides;
    }
};

double largest(const std::vector<double>& x) {
    double y = -inf;
    for (const double v : x) y = v > y || v != v ? v : y;
    return y;
}

// By definition, one line.
std::vector<double> softmax_of(const std::vector<double>& x, bool log) {
    std::vector<double> y = x;
    const double most = largest(x);
    double total = 0;
    for (const double v : x) total += std::exp(v - most);
    for (double& v : y) v = log ? v - most - std::log(total) : std::exp(v - most) / total;
    return y;
}

template <class T>
std::vector<double> line(Matrix<T>& x, std::int64_t l) {
    std::vector<double> found;
    for (std::int64_t i = 0; i < x.numbers.shape[1]; ++i) found.push_back(x.at(l, i));
    return found;
}

template <class T>
void check_softmax(Softmax* kernel, Matrix<T>& x, bool log) {
    const std::int64_t lines = x.numbers.shape[0], n = x.numbers.shape[1];
    Result<T> y(x.numbers.shape);
    REQUIRE(kernel(y.array(), x.array(), log));
    y.fetch();
    for (std::int64_t l = 0; l < lines; ++l) {
        const std::vector<double> expected = softmax_of(line(x, l), log);
        for (std::int64_t i = 0; i < n; ++i)
            y.check(l * n + i, expected[static_cast<std::size_t>(i)]);
    }
}

}  // namespace

TEST_CASE_TEMPLATE("softmax of lines, and its logarithm", T, float, double) {
    for (const Dims& shape : shapes)
        for (const Dims& strides : {contiguous(shape), first_dim_fastest(shape)}) {
            CAPTURE(shape);
            Matrix<T> x(shape, strides, 1);
            for (const bool log : {false, true}) {
                for (const auto& rung : softmax_rungs_here()) {
                    CAPTURE(std::string(rung.name));
                    check_softmax<T>(rung.run, x, log);
                }
                check_softmax<T>(backend().softmax, x, log);
            }
        }
}

TEST_CASE_TEMPLATE("softmax of lines with infinities, NaN and numbers that overflow e^x", T, float,
                   double) {
    const std::vector<std::vector<double>> lines = {
        {-inf, -inf, -inf}, {-inf, 1, -inf}, {1, -inf, 2},   {inf, 1, 2},
        {1, inf, inf},      {NAN, 1, 2},     {1, -inf, NAN}, {1000, 999, -1000}};
    for (const std::int64_t n : {3, 40, 700}) {
        Numbers<T> x({static_cast<std::int64_t>(lines.size()), n});
        for (std::size_t l = 0; l < lines.size(); ++l)
            for (std::int64_t i = 0; i < n; ++i)
                x[static_cast<std::int64_t>(l) * n + i] =
                    static_cast<T>(lines[l][static_cast<std::size_t>(i * 3 / n)]);
        Matrix<T> matrix(std::move(x));
        for (const auto& rung : softmax_rungs_here())
            for (const bool log : {false, true}) {
                CAPTURE(std::string(rung.name));
                check_softmax<T>(rung.run, matrix, log);
            }
    }
}

TEST_CASE_TEMPLATE("the gradient of softmax", T, float, double) {
    for (const Dims& shape : shapes)
        for (const auto& rung : softmax_gradient_rungs_here())
            for (const bool log : {false, true}) {
                CAPTURE(shape);
                CAPTURE(std::string(rung.name));
                const std::int64_t n = shape[1];
                Matrix<T> g(shape, first_dim_fastest(shape), 2), y(shape, contiguous(shape), 3);
                Result<T> dx(shape);
                REQUIRE(rung.run(dx.array(), g.array(), y.array(), log));
                dx.fetch();
                for (std::int64_t l = 0; l < shape[0]; ++l) {
                    double all = 0;
                    for (std::int64_t i = 0; i < n; ++i)
                        all += log ? g.at(l, i) : g.at(l, i) * y.at(l, i);
                    for (std::int64_t i = 0; i < n; ++i)
                        dx.check(l * n + i, log ? g.at(l, i) - std::exp(y.at(l, i)) * all
                                                : y.at(l, i) * (g.at(l, i) - all));
                }
            }
}

TEST_CASE_TEMPLATE("cross entropy of lines and its gradient", T, float, double) {
    for (const Dims& shape : shapes) {
        if (shape[1] == 0) continue;
        CAPTURE(shape);
        const std::int64_t lines = shape[0], n = shape[1];
        Matrix<T> x(shape, contiguous(shape), 4), g({lines, 1}, {2, 1}, 5);
        Numbers<std::int64_t> target({lines}, {3});
        for (std::int64_t l = 0; l < lines; ++l) target[l] = (7 * l + 3) % n;
        const OnDevice<std::int64_t> on_target(target);
        Array g_line = g.array();
        g_line.dims = 1;
        for (const auto& rung : cross_entropy_rungs_here()) {
            CAPTURE(std::string(rung.name));
            Result<T> losses({lines});
            Outside outside;
            REQUIRE(rung.run(losses.array(), x.array(), on_target.array, outside));
            REQUIRE_FALSE(outside);
            losses.fetch();
            for (std::int64_t l = 0; l < lines; ++l)
                losses.check(l, -softmax_of(line(x, l), true)[static_cast<std::size_t>(target[l])]);
        }
        for (const auto& rung : cross_entropy_gradient_rungs_here()) {
            CAPTURE(std::string(rung.name));
            Result<T> dx(shape);
            REQUIRE(rung.run(dx.array(), g_line, x.array(), on_target.array));
            dx.fetch();
            for (std::int64_t l = 0; l < lines; ++l) {
                const std::vector<double> y = softmax_of(line(x, l), false);
                for (std::int64_t i = 0; i < n; ++i)
                    dx.check(l * n + i, g.at(l, 0) * (y[static_cast<std::size_t>(i)] -
                                                      (i == target[l] ? 1 : 0)));
            }
        }
    }
}

TEST_CASE("a class that is outside is told, and nothing is written") {
    Matrix<float> x({3, 5}, {5, 1}, 6);
    for (const std::int64_t wrong : {-1, 5}) {
        Numbers<std::int64_t> target({3});
        target[1] = wrong;
        const OnDevice<std::int64_t> on_target(target);
        for (const auto& rung : cross_entropy_rungs_here()) {
            Result<float> losses({3});
            Outside outside;
            REQUIRE(rung.run(losses.array(), x.array(), on_target.array, outside));
            CHECK(outside == wrong);
            losses.fetch();
            CHECK(losses.numbers[0] == 0.0f);
        }
    }
}

TEST_CASE_TEMPLATE("layer norm of lines and its gradient", T, float, double) {
    constexpr double eps = 1e-3;
    for (const Dims& shape : shapes) {
        CAPTURE(shape);
        const std::int64_t lines = shape[0], n = shape[1];
        Matrix<T> x(shape, first_dim_fastest(shape), 7), g(shape, contiguous(shape), 8);
        Matrix<T> r({lines, 1}, {2, 1}, 9);
        for (const auto& rung : layer_norm_rungs_here()) {
            CAPTURE(std::string(rung.name));
            Result<T> y(shape), found({lines, 1});
            REQUIRE(rung.run(y.array(), found.array(), x.array(), eps));
            y.fetch();
            found.fetch();
            for (std::int64_t l = 0; n > 0 && l < lines; ++l) {
                double mean = 0, variance = 0;
                for (const double v : line(x, l)) mean += v / static_cast<double>(n);
                for (const double v : line(x, l))
                    variance += (v - mean) * (v - mean) / static_cast<double>(n);
                const double scale = 1 / std::sqrt(variance + eps);
                found.check(l, scale);
                for (std::int64_t i = 0; i < n; ++i)
                    y.check(l * n + i, (x.at(l, i) - mean) * scale);
            }
        }
        for (const auto& rung : layer_norm_gradient_rungs_here()) {
            CAPTURE(std::string(rung.name));
            Result<T> dx(shape);
            REQUIRE(rung.run(dx.array(), g.array(), x.array(), r.array()));
            dx.fetch();
            for (std::int64_t l = 0; l < lines; ++l) {
                double g_mean = 0, gy_mean = 0;
                for (std::int64_t i = 0; i < n; ++i) {
                    g_mean += g.at(l, i) / static_cast<double>(n);
                    gy_mean += g.at(l, i) * x.at(l, i) / static_cast<double>(n);
                }
                for (std::int64_t i = 0; i < n; ++i)
                    dx.check(l * n + i, r.at(l, 0) * (g.at(l, i) - g_mean - x.at(l, i) * gy_mean));
            }
        }
    }
}

}  // namespace tg::kernels::cuda
