#include "core/low_precision.h"

#include "core/storage.h"
#include "kernels/cpu/cpu.h"

namespace tg {
namespace {

using kernels::Array;

// An array's elements in float32 and in row-major order.
class Wide {
  public:
    explicit Wide(const Array& like) : bytes_(like.size() * size_of(DType::float32)) {
        array = like;
        array.dtype = DType::float32;
        array.data = bytes_ > 0 ? allocator::take(bytes_, Device::cpu) : nullptr;
        std::int64_t step = 1;
        for (int d = array.dims - 1; d >= 0; --d) {
            array.strides[d] = step;
            step *= array.shape[d];
        }
    }
    ~Wide() {
        if (array.data) allocator::give(array.data, bytes_, Device::cpu);
    }
    Wide(const Wide&) = delete;
    Wide& operator=(const Wide&) = delete;
    Array array;

  private:
    std::int64_t bytes_;
};

bool any_low(std::span<const Array> arrays) {
    for (const Array& a : arrays)
        if (is_low_precision(a.dtype)) return true;
    return false;
}

using Wides = std::vector<std::unique_ptr<Wide>>;

// The arrays, but those of low precision are float32 ones that `room` keeps.
Inline<Array, 3> widened_all(std::span<const Array> arrays, Wides& room) {
    Inline<Array, 3> wide;
    for (const Array& a : arrays) {
        if (is_low_precision(a.dtype)) room.push_back(std::make_unique<Wide>(a));
        wide.push_back(is_low_precision(a.dtype) ? room.back()->array : a);
    }
    return wide;
}

}  // namespace

void run_on_cpu(const Launch& launch) {
    if (launch.op.low_precision || (!any_low(launch.in) && !any_low(launch.out)))
        return launch.op.cpu(launch);
    Wides room;
    const Inline<Array, 3> in = widened_all(launch.in, room);
    const Inline<Array, 3> out = widened_all(launch.out, room);
    for (std::size_t i = 0; i < launch.in.size(); ++i)
        if (is_low_precision(launch.in[i].dtype))
            kernels::cpu::cast(in[static_cast<int>(i)], launch.in[i]);
    launch.op.cpu({launch.op, launch.attrs, in, out});
    for (std::size_t k = 0; k < launch.out.size(); ++k)
        if (is_low_precision(launch.out[k].dtype))
            kernels::cpu::cast(launch.out[k], out[static_cast<int>(k)]);
}

}  // namespace tg
