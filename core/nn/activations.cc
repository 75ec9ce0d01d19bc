#include "core/nn/activations.h"

#include "core/nn/init.h"

namespace tg::nn {

// The gradient may need the old x: in place, it is of a copy.
Tensor Activation::forward(const Tensor& x) {
    if (!inplace) return value(x);
    Tensor y = x;
    return y.copy_(value(clone(x)));
}

std::string Activation::options(const std::string& own) const {
    if (!inplace) return own;
    return own.empty() ? "inplace=True" : own + ", inplace=True";
}

Hardtanh::Hardtanh(double low, double high, bool in_place)
    : Activation(in_place), min_val(low), max_val(high) {
    if (low >= high)
        fail(ErrorKind::value, "Hardtanh: min_val ", shown(low), " is not below max_val ",
             shown(high));
}

PReLU::PReLU(std::int64_t num_parameters, double init, Options options)
    : weight(register_parameter("weight", empty({num_parameters}, options))) {
    init::constant_(weight, init);
}

}  // namespace tg::nn
