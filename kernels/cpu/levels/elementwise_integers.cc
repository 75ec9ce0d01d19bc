// The elementwise loops for bool and the integers.
#include "kernels/cpu/levels/elementwise.h"

namespace tg::kernels::cpu::TAPEGRAPH_LEVEL {

Block integer_block(int formula, DType dtype) {
    switch (dtype) {
        case DType::boolean:
            return numbered<bool>(formula);
        case DType::uint8:
            return numbered<std::uint8_t>(formula);
        case DType::int8:
            return numbered<std::int8_t>(formula);
        case DType::int16:
            return numbered<std::int16_t>(formula);
        case DType::int32:
            return numbered<std::int32_t>(formula);
        case DType::int64:
            return numbered<std::int64_t>(formula);
        default:
            return nullptr;
    }
}

}  // namespace tg::kernels::cpu::TAPEGRAPH_LEVEL
