#include "kernels/math.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace tg::formula {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

// How far a result is from the true value, in units of the last place of T at that value.
template <class T, class Wide>
double error_in_ulp(T got, Wide want) {
    if (std::isnan(want)) return std::isnan(got) ? 0 : inf;
    const T rounded = static_cast<T>(want);
    if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : inf;
    int exponent = 0;
    std::frexp(want, &exponent);
    using Limits = std::numeric_limits<T>;
    const int unit = std::max(exponent - Limits::digits, Limits::min_exponent - Limits::digits);
    return static_cast<double>(std::ldexp(std::fabs(static_cast<Wide>(got) - want), -unit));
}

struct Worst {
    double log2 = 0, log10 = 0, exp = 0, log = 0, tanh = 0, expm1 = 0, log1p = 0, sigmoid = 0,
           rsqrt = 0, sin = 0, cos = 0, erf = 0, exp2 = 0, tan = 0, asin = 0, acos = 0, atan = 0,
           sinh = 0, cosh = 0, asinh = 0, acosh = 0, atanh = 0, atan2 = 0, hypot = 0;

    template <class T, class Wide>
    void see(T x, Wide wide) {
        exp = std::max(exp, error_in_ulp(Exp::of(x), std::exp(wide)));
        log = std::max(log, error_in_ulp(Log::of(x), std::log(wide)));
        log2 = std::max(log2, error_in_ulp(Log2::of(x), std::log2(wide)));
        log10 = std::max(log10, error_in_ulp(Log10::of(x), std::log10(wide)));
        tanh = std::max(tanh, error_in_ulp(Tanh::of(x), std::tanh(wide)));
        expm1 = std::max(expm1, error_in_ulp(Expm1::of(x), std::expm1(wide)));
        log1p = std::max(log1p, error_in_ulp(Log1p::of(x), std::log1p(wide)));
        sigmoid = std::max(sigmoid, error_in_ulp(Sigmoid::of(x), 1 / (1 + std::exp(-wide))));
        rsqrt = std::max(rsqrt, error_in_ulp(Rsqrt::of(x), 1 / std::sqrt(wide)));
        sin = std::max(sin, error_in_ulp(Sin::of(x), std::sin(wide)));
        cos = std::max(cos, error_in_ulp(Cos::of(x), std::cos(wide)));
        erf = std::max(erf, error_in_ulp(Erf::of(x), std::erf(wide)));
        exp2 = std::max(exp2, error_in_ulp(Exp2::of(x), std::exp2(wide)));
        tan = std::max(tan, error_in_ulp(Tan::of(x), std::tan(wide)));
        asin = std::max(asin, error_in_ulp(Asin::of(x), std::asin(wide)));
        acos = std::max(acos, error_in_ulp(Acos::of(x), std::acos(wide)));
        atan = std::max(atan, error_in_ulp(Atan::of(x), std::atan(wide)));
        sinh = std::max(sinh, error_in_ulp(Sinh::of(x), std::sinh(wide)));
        cosh = std::max(cosh, error_in_ulp(Cosh::of(x), std::cosh(wide)));
        asinh = std::max(asinh, error_in_ulp(Asinh::of(x), std::asinh(wide)));
        acosh = std::max(acosh, error_in_ulp(Acosh::of(x), std::acosh(wide)));
        atanh = std::max(atanh, error_in_ulp(Atanh::of(x), std::atanh(wide)));
        const Wide other = 0.75;
        atan2 = std::max(atan2, error_in_ulp(Atan2::of(x, T(other)), std::atan2(wide, other)));
        hypot = std::max(hypot, error_in_ulp(Hypot::of(x, T(other)), std::hypot(wide, other)));
    }
    void check() const {
        CHECK(exp < 2);
        CHECK(log < 2);
        CHECK(log2 < 2);
        CHECK(log10 < 3);  // the C library's
        CHECK(tanh < 2);
        CHECK(expm1 < 2);
        CHECK(log1p < 2);
        CHECK(sigmoid < 2);
        CHECK(rsqrt < 2);
        CHECK(sin < 2);
        CHECK(cos < 2);
        CHECK(erf < 2);
        CHECK(exp2 < 2);
        CHECK(tan < 2);
        CHECK(asin < 2);
        CHECK(acos < 2);
        CHECK(atan < 2);
        CHECK(sinh < 2);
        CHECK(cosh < 2);
        CHECK(asinh < 2);
        CHECK(acosh < 3);  // the C library's
        CHECK(atanh < 2);
        CHECK(atan2 < 2);
        CHECK(hypot < 2);
    }
};

TEST_CASE("float functions are within 2 ulp on a comb through all floats") {
    Worst worst;
    for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 997) {
        const auto x = __builtin_bit_cast(float, static_cast<std::uint32_t>(bits));
        worst.see(x, static_cast<double>(x));
    }
    for (float x = -0.7f; x < 2; x += 1e-6f) worst.see(x, static_cast<double>(x));
    worst.check();
}

TEST_CASE("double functions are within 2 ulp on random doubles of all sizes") {
    Worst worst;
    std::mt19937_64 random(1);
    for (int i = 0; i < 300000; ++i) {
        const auto bits = random();
        const double unit = static_cast<double>(bits >> 11) * 0x1p-52 - 1;  // [-1, 1)
        for (double x : {__builtin_bit_cast(double, bits), unit * 750, unit * 3, 1 + unit / 2})
            worst.see(x, static_cast<long double>(x));
    }
    worst.check();
}

template <class T>
void check_special_values() {
    const T infinity = static_cast<T>(inf), no = static_cast<T>(nan);
    CHECK(Exp::of(T(0)) == 1);
    CHECK(Exp::of(-infinity) == 0);
    CHECK(Exp::of(infinity) == infinity);
    CHECK(Exp::of(T(1e30)) == infinity);
    CHECK(Exp::of(T(-1e30)) == 0);
    CHECK(std::isnan(Exp::of(no)));
    CHECK(Log::of(T(1)) == 0);
    CHECK(Log::of(T(0)) == -infinity);
    CHECK(Log::of(-T(0)) == -infinity);
    CHECK(Log::of(infinity) == infinity);
    CHECK(std::isnan(Log::of(T(-1))));
    CHECK(std::isnan(Log::of(-infinity)));
    CHECK(std::isnan(Log::of(no)));
    CHECK(Tanh::of(infinity) == 1);
    CHECK(Tanh::of(-infinity) == -1);
    CHECK(std::signbit(Tanh::of(-T(0))));
    CHECK(std::isnan(Tanh::of(no)));
    const T tiny = std::numeric_limits<T>::denorm_min();
    CHECK(Tanh::of(tiny) == tiny);
    CHECK(Exp::of(Log::of(tiny)) == tiny);
}

TEST_CASE("exp, log and tanh are right at 0, at the infinities, at NaN and at denormals") {
    check_special_values<float>();
    check_special_values<double>();
}

TEST_CASE("float pow is C's pow for all pairs of special values") {
    const float x[] = {0,         -0.0f,    1,      -1,         2,           -2,        3,
                       -3,        .5f,      -.5f,   1e-45f,     3e38f,       -7.5f,     16777215,
                       -16777215, 33554432, 1e-40f, float(inf), -float(inf), float(nan)};
    for (float a : x)
        for (float b : x) {
            const double want = std::pow(static_cast<double>(a), static_cast<double>(b));
            const float got = Pow::of(a, b);
            const bool right = error_in_ulp(got, want) <= 0.51 &&
                               (std::isnan(want) || std::signbit(got) == std::signbit(want));
            CHECK_MESSAGE(right, a, " to the ", b, " gave ", got, ", not ", want);
        }
}

TEST_CASE("float pow is within 1 ulp on random pairs") {
    std::mt19937_64 random(2);
    double worst = 0;
    for (int i = 0; i < 300000; ++i) {
        const float x = static_cast<float>(random() >> 40) * 0x1p-20f;
        const float y = static_cast<float>(random() >> 40) * 0x1p-19f - 16;
        worst = std::max(worst, error_in_ulp(Pow::of(x, y), std::pow(double(x), double(y))));
    }
    CHECK(worst < 1);
}

TEST_CASE("integer powers wrap, and negative exponents are as in PyTorch") {
    CHECK(Pow::of(3, 4) == 81);
    CHECK(Pow::of(std::int64_t{2}, std::int64_t{62}) == std::int64_t{1} << 62);
    CHECK(Pow::of(std::int8_t{2}, std::int8_t{8}) == 0);
    CHECK(Pow::of(0, 0) == 1);
    CHECK(Pow::of(-1, -3) == -1);
    CHECK(Pow::of(-1, -2) == 1);
    CHECK(Pow::of(1, -9) == 1);
    CHECK(Pow::of(5, -1) == 0);
}

template <class T>
void check_whole_division() {
    using Limits = std::numeric_limits<T>;
    const int numbers[] = {
        0, 1, 2, 3, 7, 8, 100, -1, -2, -3, -7, -8, -100, Limits::min(), Limits::max()};
    for (int x : numbers)
        for (int y : numbers) {
            const T a = static_cast<T>(x), b = static_cast<T>(y);
            if (b == 0) {
                CHECK(FloorDivide::of(a, b) == 0);
                continue;
            }
            const double floor = std::floor(static_cast<double>(a) / static_cast<double>(b));
            const auto quotient = static_cast<std::int64_t>(floor);
            CHECK(FloorDivide::of(a, b) == static_cast<T>(quotient));  // wraps
            CHECK(Remainder::of(a, b) == static_cast<T>(a - quotient * b));
            CHECK(Fmod::of(a, b) == static_cast<T>(std::fmod(double(a), double(b))));
        }
}

TEST_CASE("whole division goes down, for all signs and the least number") {
    check_whole_division<std::int8_t>();
    check_whole_division<std::uint8_t>();
    check_whole_division<std::int32_t>();
}

TEST_CASE("floats are divided with a rest as in Python") {
    CHECK(Remainder::of(-5.5, 2.0) == 0.5);
    CHECK(Fmod::of(-5.5, 2.0) == -1.5);
    CHECK(FloorDivide::of(1.0, 0.1) == 9);  // 0.1 is a little more than a tenth
    CHECK(FloorDivide::of(-1.0, inf) == -1);
    CHECK(FloorDivide::of(1.0, 0.0) == inf);
    CHECK(std::isnan(FloorDivide::of(inf, 1.0)));
    CHECK(std::isnan(Remainder::of(1.0, 0.0)));
    CHECK(std::signbit(FloorDivide::of(-0.0, 3.0)));
}

TEST_CASE("integers wrap on overflow, bools add by or and multiply by and") {
    CHECK(Add::of(INT32_MAX, 1) == INT32_MIN);
    CHECK(Neg::of(INT64_MIN) == INT64_MIN);
    CHECK(Abs::of(INT64_MIN) == INT64_MIN);
    CHECK(Mul::of(std::int8_t{100}, std::int8_t{3}) == 44);
    CHECK(Sub::of(std::uint8_t{0}, std::uint8_t{1}) == 255);
    CHECK(Add::of(true, true) == true);
    CHECK(Mul::of(true, false) == false);
    CHECK(Maximum::of(true, false) == true);
}

TEST_CASE("NaN goes through maximum, minimum and relu, and equals nothing") {
    CHECK(std::isnan(Maximum::of(nan, 1.0)));
    CHECK(std::isnan(Maximum::of(1.0, nan)));
    CHECK(std::isnan(Minimum::of(nan, 1.0)));
    CHECK(std::isnan(Minimum::of(1.0, nan)));
    CHECK(std::isnan(Relu::of(nan)));
    CHECK_FALSE(Eq::of(nan, nan));
    CHECK(Ne::of(nan, nan));
    CHECK_FALSE(Ge::of(nan, 1.0));
    CHECK(Sign::of(nan) == 0);
    CHECK(Sign::of(-3.0) == -1);
}

TEST_CASE("a formula's number is its place in the list") {
    static_assert(id<Add> == 0);
    static_assert(id<Polygamma> == count - 1);
    static_assert(!defined<Sub, bool> && !defined<Exp, std::int32_t> && defined<Eq, bool>);
    static_assert(defined<BitwiseNot, bool> && !defined<BitwiseNot, float>);
    CHECK(std::string(Tanh::name) == "tanh");
}

}  // namespace
}  // namespace tg::formula
