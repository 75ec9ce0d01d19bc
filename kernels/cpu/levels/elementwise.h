// The loops of the elementwise formulas: one function for each formula and dtype, and tables of
// them made from the list of formulas. The formula is inlined, the compiler makes the vectors.
#pragma once

#include "kernels/cpu/levels/level.h"
#include "kernels/math.h"

namespace tg::kernels::cpu::TAPEGRAPH_LEVEL {

template <bool first, class A, class B>
struct Choose {
    using Type = A;
};
template <class A, class B>
struct Choose<false, A, B> {
    using Type = B;
};
template <class F, class T>
using Result = typename Choose<F::compares, bool, T>::Type;

// An operand with step 0 is spread over a tile, so that one loop, with steps of 1, serves all.
constexpr std::int64_t tile = 512;

template <class T>
void spread(T value, std::int64_t n, T* out) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = value;
}

template <class F, class T>
void unary(std::int64_t n, void* out, const void* const* in, const int* steps) {
    const T* x = static_cast<const T*>(in[0]);
    auto* y = static_cast<Result<F, T>*>(out);
    if (steps[0] == 0) return spread<Result<F, T>>(F::of(x[0]), n, y);
    TG_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = F::of(x[i]);
}

// Floats, which are used most, have a loop of their own for each pair of steps.
template <class F, class T>
void binary(std::int64_t n, void* out, const void* const* in, const int* steps) {
    const T* x = static_cast<const T*>(in[0]);
    const T* y = static_cast<const T*>(in[1]);
    auto* z = static_cast<Result<F, T>*>(out);
    if (steps[0] != 0 && steps[1] != 0) {
        TG_INDEPENDENT
        for (std::int64_t i = 0; i < n; ++i) z[i] = F::of(x[i], y[i]);
    } else if (steps[0] == 0 && steps[1] == 0) {
        spread<Result<F, T>>(F::of(x[0], y[0]), n, z);
    } else if constexpr (formula::is_float<T>) {
        const T x0 = x[0], y0 = y[0];
        if (steps[0] == 0) {
            TG_INDEPENDENT
            for (std::int64_t i = 0; i < n; ++i) z[i] = F::of(x0, y[i]);
        } else {
            TG_INDEPENDENT
            for (std::int64_t i = 0; i < n; ++i) z[i] = F::of(x[i], y0);
        }
    } else {
        T repeated[tile];
        spread<T>(steps[0] == 0 ? x[0] : y[0], n < tile ? n : tile, repeated);
        for (std::int64_t i = 0; i < n; i += tile) {
            const void* both[2] = {steps[0] == 0 ? repeated : x + i,
                                   steps[1] == 0 ? repeated : y + i};
            constexpr int ones[2] = {1, 1};
            binary<F, T>(n - i < tile ? n - i : tile, z + i, both, ones);
        }
    }
}

// where: condition (bool), x, y
template <class F, class T>
void selection(std::int64_t n, void* out, const void* const* in, const int* steps) {
    auto* z = static_cast<T*>(out);
    if (steps[0] != 0 && steps[1] != 0 && steps[2] != 0) {
        const auto* condition = static_cast<const bool*>(in[0]);
        const T* x = static_cast<const T*>(in[1]);
        const T* y = static_cast<const T*>(in[2]);
        TG_INDEPENDENT
        for (std::int64_t i = 0; i < n; ++i) z[i] = F::of(condition[i], x[i], y[i]);
        return;
    }
    bool c[tile];
    T x[tile], y[tile];
    const std::int64_t most = n < tile ? n : tile;
    const auto* c_in = static_cast<const bool*>(in[0]);
    const T* x_in = static_cast<const T*>(in[1]);
    const T* y_in = static_cast<const T*>(in[2]);
    if (steps[0] == 0) spread<bool>(c_in[0], most, c);
    if (steps[1] == 0) spread<T>(x_in[0], most, x);
    if (steps[2] == 0) spread<T>(y_in[0], most, y);
    for (std::int64_t i = 0; i < n; i += tile) {
        const void* all[3] = {steps[0] == 0 ? c : c_in + i, steps[1] == 0 ? x : x_in + i,
                              steps[2] == 0 ? y : y_in + i};
        constexpr int ones[3] = {1, 1, 1};
        selection<F, T>(n - i < tile ? n - i : tile, z + i, all, ones);
    }
}

// The block of formula F for T, or null where F is not defined for it.
template <class F, class T>
constexpr Block block_of() {
    if constexpr (!formula::defined<F, T>)
        return nullptr;
    else if constexpr (F::selects)
        return selection<F, T>;
    else if constexpr (F::inputs == 2)
        return binary<F, T>;
    else
        return unary<F, T>;
}

// The blocks of all formulas for one dtype, by number.
template <class T, class Formulas>
struct Blocks;
template <class T, class... F>
struct Blocks<T, formula::List<F...>> {
    static constexpr Block by_number[] = {block_of<F, T>()...};
};

template <class T>
Block numbered(int formula) {
    return Blocks<T, formula::All>::by_number[formula];
}

}  // namespace tg::kernels::cpu::TAPEGRAPH_LEVEL
