// Convolutions, and padding.
#pragma once

#include <string>
#include <vector>

#include "core/apply.h"

namespace tg {

// ---- convolutions: core/ops/convolution.cc -----------------------------------------------------
// A dim's numbers, one for all dims or one each; a padding may be "same" or "valid" instead.
struct Padding {
    Dims dims;
    std::string word;
    Padding(std::int64_t all) : dims{all} {}
    Padding(int all) : dims{all} {}
    Padding(std::initializer_list<std::int64_t> each) : dims(each) {}
    Padding(const Dims& each) : dims(each) {}
    Padding(const char* name) : word(name) {}
    Padding(const std::string& name) : word(name) {}
};
struct Convolution {
    Dims stride = {1};
    Padding padding = 0;
    Dims dilation = {1};
    std::int64_t groups = 1;
    Dims output_padding = {0};  // of the transposed ones
};
// x (N, C, H, W) or (C, H, W), weight (O, C / groups, A, B), bias (O,) -> (N, O, I, J)
Tensor conv2d(const Arg& x, const Arg& weight, const Tensor& bias = {},
              const Convolution& options = {});
// x (N, C, L) or (C, L), weight (O, C / groups, A), bias (O,) -> (N, O, I)
Tensor conv1d(const Arg& x, const Arg& weight, const Tensor& bias = {},
              const Convolution& options = {});
// A conv2d's gradient by its input: x (N, C, H, W), weight (C, O / groups, A, B) -> (N, O, I, J)
Tensor conv_transpose2d(const Arg& x, const Arg& weight, const Tensor& bias = {},
                        const Convolution& options = {});
// x (N, C, L), weight (C, O / groups, A) -> (N, O, I)
Tensor conv_transpose1d(const Arg& x, const Arg& weight, const Tensor& bias = {},
                        const Convolution& options = {});
// padding.cc: the last dims, from the last on, each with so many places before and after; mode is
// "constant", of `value`, "reflect", "replicate" or "circular". Negative ones are cut off.
Tensor pad(const Arg& x, const std::vector<std::int64_t>& by, const std::string& mode = "constant",
           const Scalar& value = 0);

}  // namespace tg
