#include "core/anomaly.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/function.h"
#include "core/state.h"
#include "core/storage.h"
#include "kernels/low_precision.h"

namespace tg {
namespace {

// What an array has in it. NaN and infinity are counted, and kept out of least and most.
struct Contents {
    std::int64_t elements = 0, nans = 0, infinities = 0;
    std::int64_t first_nan = -1, first_infinity = -1;  // in order of the array's own indices
    double least = 0, most = 0, infinity = 0;
};

template <class T>
double as_double(T x) {
    if constexpr (formula::is_low<T>)
        return static_cast<double>(formula::widen(x));
    else
        return static_cast<double>(x);
}

template <class T>
Contents counted(const kernels::Array& a, const T* data) {
    Contents c;
    c.elements = 1;
    for (int d = 0; d < a.dims; ++d) c.elements *= a.shape[d];
    std::int64_t index[max_dims] = {};
    bool any = false;
    for (std::int64_t i = 0; i < c.elements; ++i) {
        std::int64_t offset = 0;
        for (int d = 0; d < a.dims; ++d) offset += index[d] * a.strides[d];
        const double x = as_double(data[offset]);
        if (std::isnan(x)) {
            if (c.nans++ == 0) c.first_nan = i;
        } else if (std::isinf(x)) {
            if (c.infinities++ == 0) c.first_infinity = i;
            c.infinity = c.infinities == 1 ? x : c.infinity;
        } else {
            c.least = any ? std::min(c.least, x) : x;
            c.most = any ? std::max(c.most, x) : x;
            any = true;
        }
        for (int d = a.dims; d-- > 0;) {
            if (++index[d] < a.shape[d]) break;
            index[d] = 0;
        }
    }
    return c;
}

std::int64_t reach(const kernels::Array& a) {
    std::int64_t last = 1;
    for (int d = 0; d < a.dims; ++d) {
        if (a.shape[d] == 0) return 0;
        last += (a.shape[d] - 1) * a.strides[d];
    }
    return last;
}

Contents contents(const kernels::Array& a, Device device) {
    std::vector<std::uint64_t> room;
    const void* data = a.data;
    if (device != Device::cpu && !a.number) {
        const std::int64_t bytes = reach(a) * size_of(a.dtype);
        room.resize(static_cast<std::size_t>(bytes / 8 + 1));
        copy_bytes(room.data(), Device::cpu, a.data, device, bytes);
        data = room.data();
    }
    switch (a.dtype) {
        case DType::boolean:
        case DType::uint8:
            return counted(a, static_cast<const std::uint8_t*>(data));
        case DType::int8:
            return counted(a, static_cast<const std::int8_t*>(data));
        case DType::int16:
            return counted(a, static_cast<const std::int16_t*>(data));
        case DType::int32:
            return counted(a, static_cast<const std::int32_t*>(data));
        case DType::int64:
            return counted(a, static_cast<const std::int64_t*>(data));
        case DType::float16:
            return counted(a, static_cast<const formula::Float16*>(data));
        case DType::bfloat16:
            return counted(a, static_cast<const formula::BFloat16*>(data));
        case DType::float32:
            return counted(a, static_cast<const float*>(data));
        case DType::float64:
            break;
    }
    return counted(a, static_cast<const double*>(data));
}

std::string number(double x) {
    char s[32];
    std::snprintf(s, sizeof s, "%.6g", x);
    return s;
}

Dims shape_of(const kernels::Array& a) {
    Dims shape;
    for (int d = 0; d < a.dims; ++d) shape.push_back(a.shape[d]);
    return shape;
}

std::string place_text(const kernels::Array& a, std::int64_t flat) {
    if (a.dims == 0) return "";
    Dims index;
    for (int d = 0; d < a.dims; ++d) index.push_back(0);
    for (int d = a.dims; d-- > 0;) {
        index[d] = flat % a.shape[d];
        flat /= a.shape[d];
    }
    return " at index " + text(index);
}

// "float32 (3,), 1 nan, the rest from -1 to 4"
std::string said(const kernels::Array& a, const Contents& c) {
    if (a.number)
        return "the number " + number(c.nans > 0 ? NAN : c.infinities > 0 ? c.infinity : c.least);
    std::string s = std::string(name_of(a.dtype)) + " " + text(shape_of(a));
    if (c.nans > 0) s += ", " + std::to_string(c.nans) + " nan";
    if (c.infinities > 0)
        s += ", " + std::to_string(c.infinities) + (c.infinities > 1 ? " infinities" : " infinity");
    const std::int64_t finite = c.elements - c.nans - c.infinities;
    if (finite > 0)
        s += std::string(c.nans + c.infinities > 0 ? ", the rest" : "") + " from " +
             number(c.least) + " to " + number(c.most);
    return s;
}

// Where it happened: the launch's line, and in a backward the line that asked for that.
std::string where_text(const Launch& launch) {
    const Differentiating* at_node = thread_state().differentiating;
    if (!at_node || !at_node->node) return std::string(launch.op.name) + at(current_line());
    return std::string(launch.op.name) + ", in the gradient of " + name_of(*at_node->node) +
           at(at_node->node->where) + " that the backward" + at(at_node->backward) + " took,";
}

[[noreturn]] void tell(const Launch& launch, std::size_t k, const Contents& c,
                       std::span<const Contents> in) {
    const kernels::Array& out = launch.out[k];
    const bool nan = c.nans > 0;
    std::string s = "detect_anomaly: " + where_text(launch) + " gave ";
    s += nan ? "nan" : number(c.infinity);
    s += place_text(out, nan ? c.first_nan : c.first_infinity) + ": its output " +
         (launch.out.size() > 1 ? std::to_string(k) + " " : "") + "is " + said(out, c);
    for (std::size_t i = 0; i < in.size(); ++i)
        s += "; its input " + std::to_string(i) + " is " + said(launch.in[i], in[i]);
    throw Error(ErrorKind::runtime, s);
}

bool moves(const Op& op) {
    for (const char* name : {"clone", "cast", "to", "gather", "index", "cat"})
        if (std::strcmp(op.name, name) == 0) return true;
    return false;
}

bool floating(const kernels::Array& a) {
    return a.dtype == DType::float32 || a.dtype == DType::float64;
}

}  // namespace

bool detects_anomaly() { return state().detect_anomaly.load(std::memory_order_relaxed); }

void set_detect_anomaly(bool on) { state().detect_anomaly = on; }

void check_anomaly(const Launch& launch, Device device) {
    if (launch.in.empty()) return;  // numbers that somebody asked for
    for (std::size_t k = 0; k < launch.out.size(); ++k) {
        if (!floating(launch.out[k])) continue;
        const Contents c = contents(launch.out[k], device);
        if (c.nans == 0 && c.infinities == 0) continue;
        std::vector<Contents> in;
        bool infinite = false, known = false;
        for (const kernels::Array& a : launch.in) {
            in.push_back(contents(a, device));
            infinite = infinite || in.back().infinities > 0;
            known = known || in.back().nans > 0;
        }
        // An infinity that comes in, as a mask's, may go out. Who only moves a NaN, to print it or
        // to look at it, has not made it.
        if (c.nans == 0 ? infinite : known && moves(launch.op)) continue;
        tell(launch, k, c, in);
    }
}

}  // namespace tg
