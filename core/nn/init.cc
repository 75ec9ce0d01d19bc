#include "core/nn/init.h"

#include <cmath>
#include <numbers>

#include "core/history.h"

namespace tg::nn::init {
namespace {

constexpr double pi = std::numbers::pi;

// x with erf(x) = y: a start that is right to 0.002 [Winitzki 2008], and Newton's steps. With
// e = (erf x - y) / erf'(x) a step is x - e / (1 + x e) [Halley].
Tensor erfinv(const Tensor& given) {
    const Tensor y = clamp(given, -1 + 1e-15, 1 - 1e-15);
    const Tensor log_part = log(1 - y * y);
    const Tensor half = 2 / (pi * 0.147) + log_part / 2;
    Tensor x = sign(y) * sqrt(sqrt(half * half - log_part / 0.147) - half);
    for (int k = 0; k < 3; ++k) {
        const Tensor e = (erf(x) - y) * (std::sqrt(pi) / 2) * exp(x * x);
        x = x - e / (1 + x * e);
    }
    return x;
}

// How many inputs an output is made of, and the reverse.
struct Fans {
    double in, out;
};
Fans fans(const char* op, const Tensor& t) {
    if (t.dims() < 2)
        fail(ErrorKind::value, op, ": a weight has 2 dims or more, (out, in), not ",
             text(t.shape()));
    std::int64_t kernel = 1;
    for (int d = 2; d < t.dims(); ++d) kernel *= t.shape()[d];
    return {static_cast<double>(t.shape()[1] * kernel), static_cast<double>(t.shape()[0] * kernel)};
}

double kaiming_std(const char* op, const Tensor& t, double a, const std::string& mode,
                   const std::string& nonlinearity) {
    if (mode != "fan_in" && mode != "fan_out")
        fail(ErrorKind::value, op, ": mode is 'fan_in' or 'fan_out', not '", mode, "'");
    const Fans f = fans(op, t);
    if (t.numel() == 0) return 0;
    return calculate_gain(nonlinearity, a) / std::sqrt(mode == "fan_in" ? f.in : f.out);
}

}  // namespace

Tensor uniform_(Tensor t, double a, double b, const Generator& generator) {
    if (!(a <= b))
        fail(ErrorKind::runtime, "uniform_: from is ", a, " and to is ", b,
             "; from must not be above to");
    const NoGrad mode;
    const Tensor u = rand(t.shape(), {t.dtype(), t.device()}, generator);
    return t.copy_(u * (b - a) + a);
}

Tensor normal_(Tensor t, double mean, double std, const Generator& generator) {
    if (!(std >= 0)) fail(ErrorKind::runtime, "normal_: std is ", std, ", and must be at least 0");
    const NoGrad mode;
    const Tensor n = randn(t.shape(), {t.dtype(), t.device()}, generator);
    return t.copy_(n * std + mean);
}

Tensor constant_(Tensor t, double value) {
    const NoGrad mode;
    return t.fill_(value);
}

Tensor zeros_(Tensor t) { return constant_(t, 0); }
Tensor ones_(Tensor t) { return constant_(t, 1); }

Tensor eye_(Tensor t) {
    if (t.dims() != 2) fail(ErrorKind::value, "eye_: a tensor of 2 dims, not ", text(t.shape()));
    const NoGrad mode;
    return t.copy_(eye(t.shape()[0], t.shape()[1], {.dtype = t.dtype(), .device = t.device()}));
}

// x = mean + std sqrt(2) erfinv(u), with u uniform between erf at a and erf at b
Tensor trunc_normal_(Tensor t, double mean, double std, double a, double b,
                     const Generator& generator) {
    const double root = std * std::sqrt(2.0);
    const Tensor u = uniform_(empty(t.shape(), {DType::float64, t.device()}),
                              std::erf((a - mean) / root), std::erf((b - mean) / root), generator);
    const NoGrad mode;
    return t.copy_(clamp(erfinv(u) * root + mean, a, b));
}

double calculate_gain(const std::string& nonlinearity, double param) {
    if (nonlinearity == "leaky_relu") return std::sqrt(2 / (1 + param * param));
    if (nonlinearity == "linear" || nonlinearity == "sigmoid") return 1;
    if (nonlinearity == "tanh") return 5.0 / 3;
    if (nonlinearity == "relu") return std::sqrt(2.0);
    if (nonlinearity == "selu") return 3.0 / 4;
    fail(ErrorKind::value, "calculate_gain: '", nonlinearity,
         "' is none of linear, sigmoid, tanh, relu, selu, leaky_relu");
}

Tensor xavier_uniform_(Tensor t, double gain, const Generator& generator) {
    const Fans f = fans("xavier_uniform_", t);
    const double bound = gain * std::sqrt(6 / (f.in + f.out));
    return uniform_(t, -bound, bound, generator);
}

Tensor xavier_normal_(Tensor t, double gain, const Generator& generator) {
    const Fans f = fans("xavier_normal_", t);
    return normal_(t, 0, gain * std::sqrt(2 / (f.in + f.out)), generator);
}

Tensor kaiming_uniform_(Tensor t, double a, const std::string& mode,
                        const std::string& nonlinearity, const Generator& generator) {
    const double bound = std::sqrt(3.0) * kaiming_std("kaiming_uniform_", t, a, mode, nonlinearity);
    return uniform_(t, -bound, bound, generator);
}

Tensor kaiming_normal_(Tensor t, double a, const std::string& mode, const std::string& nonlinearity,
                       const Generator& generator) {
    return normal_(t, 0, kaiming_std("kaiming_normal_", t, a, mode, nonlinearity), generator);
}

}  // namespace tg::nn::init
