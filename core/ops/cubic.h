// Keys' cubic with a = -0.75, PyTorch's bicubic: the weight of a number at distance d, which is a
// number or a tensor of them. [Keys 1981, 4]
#pragma once

#include "core/ops.h"

namespace tg::cubic {

constexpr double a = -0.75;

template <class D>
D near(const D& d) {  // d in 0..1
    return ((d * (a + 2) - (a + 3)) * d) * d + 1.0;
}
template <class D>
D far(const D& d) {  // d in 1..2
    return ((d * a - 5 * a) * d + 8 * a) * d - 4 * a;
}

}  // namespace tg::cubic
