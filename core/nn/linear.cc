#include "core/nn/linear.h"

#include <cmath>

#include "core/nn/init.h"
#include "core/nn/numbers.h"

namespace tg::nn {

Linear::Linear(std::int64_t in, std::int64_t out, bool has_bias, Options options)
    : in_features(in),
      out_features(out),
      weight(register_parameter("weight", empty({out, in}, options))),
      bias(register_parameter("bias", has_bias ? empty({out}, options) : Tensor())) {
    reset_parameters();
}

void Linear::reset_parameters() {
    const double bound = in_features > 0 ? 1 / std::sqrt(static_cast<double>(in_features)) : 0;
    init::uniform_(weight, -bound, bound);
    if (bias.defined()) init::uniform_(bias, -bound, bound);
}

std::string Linear::extra_repr() const {
    return "in_features=" + std::to_string(in_features) +
           ", out_features=" + std::to_string(out_features) + ", bias=" + shown(bias.defined());
}

std::string Flatten::extra_repr() const {
    return "start_dim=" + std::to_string(start_dim) + ", end_dim=" + std::to_string(end_dim);
}

std::string Unflatten::extra_repr() const {
    return "dim=" + std::to_string(dim) + ", unflattened_size=" + tg::text(unflattened_size);
}

}  // namespace tg::nn
