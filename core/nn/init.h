// How parameters start. Each writes into the tensor and gives it back; random ones draw from
// `generator`.
#pragma once

#include <string>

#include "core/ops.h"

namespace tg::nn::init {

Tensor uniform_(Tensor t, double a = 0, double b = 1,
                const Generator& generator = default_generator());  // in [a, b)
Tensor normal_(Tensor t, double mean = 0, double std = 1,
               const Generator& generator = default_generator());
Tensor constant_(Tensor t, double value);
Tensor zeros_(Tensor t);
Tensor ones_(Tensor t);
Tensor eye_(Tensor t);  // ones where row and column are the same: (M, N)
// Normal, of this mean and standard deviation, given that it is in [a, b].
Tensor trunc_normal_(Tensor t, double mean = 0, double std = 1, double a = -2, double b = 2,
                     const Generator& generator = default_generator());

// ---- by the size of a layer: weight (out, in, *kernel)
// -------------------------------------------

// How many times wider weights start before a nonlinearity, so that values keep their size.
// param: leaky_relu's slope.
double calculate_gain(const std::string& nonlinearity, double param = 0.01);
// Uniform in (-a, a), a = gain sqrt(6 / (in + out)). [Glorot & Bengio 2010]
Tensor xavier_uniform_(Tensor t, double gain = 1, const Generator& generator = default_generator());
// Normal, of standard deviation gain sqrt(2 / (in + out)). [Glorot & Bengio 2010]
Tensor xavier_normal_(Tensor t, double gain = 1, const Generator& generator = default_generator());
// Uniform in (-b, b), b = gain sqrt(3 / fan); a: leaky_relu's slope. [He et al. 2015]
Tensor kaiming_uniform_(Tensor t, double a = 0, const std::string& mode = "fan_in",
                        const std::string& nonlinearity = "leaky_relu",
                        const Generator& generator = default_generator());
// Normal, of standard deviation gain / sqrt(fan). [He et al. 2015]
Tensor kaiming_normal_(Tensor t, double a = 0, const std::string& mode = "fan_in",
                       const std::string& nonlinearity = "leaky_relu",
                       const Generator& generator = default_generator());

}  // namespace tg::nn::init
