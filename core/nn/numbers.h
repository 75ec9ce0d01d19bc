// What modules take, and how they print it: as Python does, so that both languages' texts agree.
#pragma once

#include <string>

#include "core/dims.h"

namespace tg::nn {

// One number for all dims of a window, or one for each: Conv2d(3, 16, 3), Conv2d(3, 16, {3, 5}).
struct Numbers {
    Dims dims;
    Numbers() = default;  // none were given
    Numbers(int all) : dims{all} {}
    Numbers(std::int64_t all) : dims{all} {}
    Numbers(std::initializer_list<std::int64_t> list) : dims(list) {}
    Numbers(const Dims& list) : dims(list) {}
    // As many as there are dims. Throws Error, "what (1, 2, 3) is neither one number nor 2".
    Dims each(const std::string& what, int count) const;
};

std::string shown(const Numbers& numbers);  // "3" or "(3, 5)"
std::string shown(bool flag);               // "True"
std::string shown(double number);           // "0.0001", "1e-05", "2.0"
std::string shown(const char* word) = delete;

}  // namespace tg::nn
