// The inner loops of sum, amax and amin.
//
// Element r of a block of 1024 belongs to lane r mod 16, whatever the vector width: a lane adds up
// its elements in order, then the 16 lanes are added as a tree. So the bits of the result are the
// same on every processor, and a sum of a million floats has seen 64 + 4 + 10 additions in a
// row, not a million: that is where the digits are lost.
// The two loops, along a row and down columns, add in the very same order.
// Traffic: each input is read once; one addition an element.
#include "kernels/cpu/levels/elementwise.h"

namespace tg::kernels::cpu::TAPEGRAPH_LEVEL {
namespace {

constexpr int lanes = 16;

struct Plus {
    template <class T>
    static constexpr T start = T(0);
    template <class T>
    static TG_FORMULA_FN T of(T a, T b) {
        return formula::Add::of<T>(a, b);
    }
};

// The smallest number of a type: where a maximum starts, so that an empty lane changes nothing.
template <class T>
constexpr T smallest() {
    if constexpr (formula::is_float<T>)
        return static_cast<T>(-__builtin_inf());
    else if constexpr (static_cast<T>(-1) < T(0))
        return static_cast<T>(T(1) << (sizeof(T) * 8 - 1));
    else
        return T(0);
}

struct Larger {
    template <class T>
    static constexpr T start = smallest<T>();
    template <class T>
    static TG_FORMULA_FN T of(T a, T b) {
        return formula::Maximum::of<T>(a, b);
    }
};

// And the largest.
template <class T>
constexpr T largest() {
    if constexpr (formula::is_float<T>)
        return static_cast<T>(__builtin_inf());
    else if constexpr (formula::same<T, bool>)
        return true;
    else
        return static_cast<T>(~smallest<T>());
}

struct Smaller {
    template <class T>
    static constexpr T start = largest<T>();
    template <class T>
    static TG_FORMULA_FN T of(T a, T b) {
        return formula::Minimum::of<T>(a, b);
    }
};

// In -> Acc: the dtype of the elements, and of their partial results.
template <class Op, class In, class Acc>
void block(std::int64_t n, const void* in, void* partial) {
    const In* x = static_cast<const In*>(in);
    Acc lane[lanes];
    for (int l = 0; l < lanes; ++l) lane[l] = Op::template start<Acc>;
    std::int64_t r = 0;
    for (; r + lanes <= n; r += lanes)
        for (int l = 0; l < lanes; ++l)
            lane[l] = Op::template of<Acc>(lane[l], static_cast<Acc>(x[r + l]));
    for (int l = 0; r + l < n; ++l)
        lane[l] = Op::template of<Acc>(lane[l], static_cast<Acc>(x[r + l]));
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int l = 0; l < half; ++l) lane[l] = Op::template of<Acc>(lane[l], lane[l + half]);
    *static_cast<Acc*>(partial) = lane[0];
}

template <class Op, class In, class Acc>
void columns(std::int64_t n, const std::int64_t* offsets, std::int64_t width, const void* in,
             void* partial) {
    const In* x = static_cast<const In*>(in);
    Acc lane[lanes][reduce_columns];
    for (int l = 0; l < lanes; ++l)
        for (std::int64_t c = 0; c < width; ++c) lane[l][c] = Op::template start<Acc>;
    for (std::int64_t r = 0; r < n; ++r) {
        const In* row = x + offsets[r];
        Acc* to = lane[r % lanes];
        TG_INDEPENDENT
        for (std::int64_t c = 0; c < width; ++c)
            to[c] = Op::template of<Acc>(to[c], static_cast<Acc>(row[c]));
    }
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int l = 0; l < half; ++l)
            for (std::int64_t c = 0; c < width; ++c)
                lane[l][c] = Op::template of<Acc>(lane[l][c], lane[l + half][c]);
    for (std::int64_t c = 0; c < width; ++c) static_cast<Acc*>(partial)[c] = lane[0][c];
}

template <class Op, class Acc>
void combine(std::int64_t n, void* a, const void* b) {
    Acc* to = static_cast<Acc*>(a);
    const Acc* from = static_cast<const Acc*>(b);
    for (std::int64_t c = 0; c < n; ++c) to[c] = Op::template of<Acc>(to[c], from[c]);
}

template <class Op, class In, class Acc>
constexpr Reduction reduction{block<Op, In, Acc>, columns<Op, In, Acc>, combine<Op, Acc>};

// Sums of integers are int64's.
const Reduction* sum(DType dtype) {
    switch (dtype) {
        case DType::boolean:
            return &reduction<Plus, bool, std::int64_t>;
        case DType::uint8:
            return &reduction<Plus, std::uint8_t, std::int64_t>;
        case DType::int8:
            return &reduction<Plus, std::int8_t, std::int64_t>;
        case DType::int16:
            return &reduction<Plus, std::int16_t, std::int64_t>;
        case DType::int32:
            return &reduction<Plus, std::int32_t, std::int64_t>;
        case DType::int64:
            return &reduction<Plus, std::int64_t, std::int64_t>;
        case DType::float32:
            return &reduction<Plus, float, float>;
        case DType::float64:
            return &reduction<Plus, double, double>;
        default:
            return nullptr;
    }
}

template <class Op>
const Reduction* extremum(DType dtype) {
    switch (dtype) {
        case DType::boolean:
            return &reduction<Op, bool, bool>;
        case DType::uint8:
            return &reduction<Op, std::uint8_t, std::uint8_t>;
        case DType::int8:
            return &reduction<Op, std::int8_t, std::int8_t>;
        case DType::int16:
            return &reduction<Op, std::int16_t, std::int16_t>;
        case DType::int32:
            return &reduction<Op, std::int32_t, std::int32_t>;
        case DType::int64:
            return &reduction<Op, std::int64_t, std::int64_t>;
        case DType::float32:
            return &reduction<Op, float, float>;
        case DType::float64:
            return &reduction<Op, double, double>;
        default:
            return nullptr;
    }
}

}  // namespace

const Reduction* reduction_of(Reducing how, DType dtype) {
    switch (how) {
        case Reducing::sum:
            return sum(dtype);
        case Reducing::amax:
            return extremum<Larger>(dtype);
        case Reducing::amin:
            return extremum<Smaller>(dtype);
    }
    return nullptr;
}

}  // namespace tg::kernels::cpu::TAPEGRAPH_LEVEL
