// The elementwise loops for float32 and float64.
#include "kernels/cpu/levels/elementwise.h"

namespace tg::kernels::cpu::TAPEGRAPH_LEVEL {

Block float_block(int formula, DType dtype) {
    return dtype == DType::float32 ? numbered<float>(formula) : numbered<double>(formula);
}

}  // namespace tg::kernels::cpu::TAPEGRAPH_LEVEL
