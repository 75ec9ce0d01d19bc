#include "core/low_precision.h"

#include "core/storage.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cuda/cuda.h"

namespace tg {
namespace {

using kernels::Array;

// An array's elements in float32 and in row-major order.
class Wide {
  public:
    Wide(const Array& like, Device device)
        : bytes_(like.size() * size_of(DType::float32)), device_(device) {
        array = like;
        array.dtype = DType::float32;
        array.data = bytes_ > 0 ? allocator::take(bytes_, device) : nullptr;
        std::int64_t step = 1;
        for (int d = array.dims - 1; d >= 0; --d) {
            array.strides[d] = step;
            step *= array.shape[d];
        }
    }
    ~Wide() {
        if (array.data) allocator::give(array.data, bytes_, device_);
    }
    Wide(const Wide&) = delete;
    Wide& operator=(const Wide&) = delete;
    Array array;

  private:
    std::int64_t bytes_;
    Device device_;
};

bool any_low(std::span<const Array> arrays) {
    for (const Array& a : arrays)
        if (is_low_precision(a.dtype)) return true;
    return false;
}

// A launch whose arrays of low precision are float32 ones.
class WideLaunch {
    std::vector<std::unique_ptr<Wide>> room_;
    Inline<Array, 3> in_, out_;

    Inline<Array, 3> widened(std::span<const Array> arrays, Device device) {
        Inline<Array, 3> wide;
        for (const Array& a : arrays) {
            if (is_low_precision(a.dtype)) room_.push_back(std::make_unique<Wide>(a, device));
            wide.push_back(is_low_precision(a.dtype) ? room_.back()->array : a);
        }
        return wide;
    }

  public:
    WideLaunch(const Launch& given, Device device)
        : in_(widened(given.in, device)),
          out_(widened(given.out, device)),
          launch{given.op, given.attrs, in_, out_} {}
    const Launch launch;
};

// cast(to, from) for those of low precision.
template <class Cast>
bool cast_low(std::span<const Array> to, std::span<const Array> from, const Cast& cast) {
    for (std::size_t i = 0; i < to.size(); ++i)
        if (to[i].dtype != from[i].dtype && !cast(to[i], from[i])) return false;
    return true;
}

}  // namespace

void run_on_cpu(const Launch& launch) {
    if (launch.op.low_precision || (!any_low(launch.in) && !any_low(launch.out)))
        return launch.op.cpu(launch);
    const auto cast = [](const Array& to, const Array& from) {
        kernels::cpu::cast(to, from);
        return true;
    };
    const WideLaunch wide(launch, Device::cpu);
    cast_low(wide.launch.in, launch.in, cast);
    launch.op.cpu(wide.launch);
    cast_low(launch.out, wide.launch.out, cast);
}

bool run_kernel_on_cuda(const Launch& launch) {
    if (!launch.op.cuda) return false;
    if (launch.op.cuda(launch)) return true;  // kernels that only move elements do so with all
    if (!any_low(launch.in) && !any_low(launch.out)) return false;
    const auto cast = kernels::cuda::backend().cast;
    const WideLaunch wide(launch, Device::cuda);
    return cast && cast_low(wide.launch.in, launch.in, cast) && launch.op.cuda(wide.launch) &&
           cast_low(launch.out, wide.launch.out, cast);
}

}  // namespace tg
