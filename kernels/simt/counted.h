// A number whose arithmetic is counted by the checks: a kernel that is a template on its number
// type runs with counted_float instead of float and gives the same results, and the operations of
// each line stand in its counts. Without the checks nothing counts them.
//
// + - * / and a function of <cmath> are one operation, fma is two; a sign, a comparison, fabs, min,
// max, a conversion and work on integers are none.
#pragma once

#include <cmath>
#include <compare>
#include <cstddef>
#include <type_traits>

#include "atomics.h"
#include "warp.h"

namespace simt {

// At `code` in the kernel the current thread does so many operations, and reads and writes `bytes`
// at `changed`, if that is not null.
void count_operations(unsigned operations, const void* code, const void* changed = nullptr,
                      std::size_t bytes = 0);

// What counts is a function of its own, never inlined: where it returns to is the kernel's line.
// (Of an inlined one the line table of -g1 has only the line here.)
#define SIMT_COUNTS [[gnu::noinline]]
#define SIMT_CALLER __builtin_return_address(0)

template <class T>
struct Counted {
    T value;

    Counted() = default;  // trivial: a __shared__ array may hold it
    // g++ announces accesses to a number, but not to a struct that a function takes or returns.
    Counted(const Counted& other) : value(other.value) {}
    Counted& operator=(const Counted& other) {
        value = other.value;
        return *this;
    }
    template <class U>
    requires std::is_arithmetic_v<U>
    constexpr Counted(U number) : value(static_cast<T>(number)) {}
    template <class U>
    requires std::is_arithmetic_v<U>
    explicit constexpr operator U() const { return static_cast<U>(value); }

    static Counted of(unsigned operations, T value, const void* code) {
        count_operations(operations, code);
        return Counted(value);
    }

    // Friends that are no templates also take what converts: 2 * x, x + 1.0f.
    SIMT_COUNTS friend Counted operator+(Counted a, Counted b) {
        return of(1, a.value + b.value, SIMT_CALLER);
    }
    SIMT_COUNTS friend Counted operator-(Counted a, Counted b) {
        return of(1, a.value - b.value, SIMT_CALLER);
    }
    SIMT_COUNTS friend Counted operator*(Counted a, Counted b) {
        return of(1, a.value * b.value, SIMT_CALLER);
    }
    SIMT_COUNTS friend Counted operator/(Counted a, Counted b) {
        return of(1, a.value / b.value, SIMT_CALLER);
    }
    friend Counted operator-(Counted a) { return Counted(-a.value); }
    friend Counted operator+(Counted a) { return a; }
    friend bool operator==(Counted a, Counted b) { return a.value == b.value; }
    friend auto operator<=>(Counted a, Counted b) { return a.value <=> b.value; }

    // These read and write `a` where no hook of the compiler's would name the kernel's line.
#define SIMT_CHANGES SIMT_COUNTS __attribute__((no_sanitize("thread")))
    SIMT_CHANGES friend Counted& operator+=(Counted& a, Counted b) {
        count_operations(1, SIMT_CALLER, &a, sizeof a);
        a.value += b.value;
        return a;
    }
    SIMT_CHANGES friend Counted& operator-=(Counted& a, Counted b) {
        count_operations(1, SIMT_CALLER, &a, sizeof a);
        a.value -= b.value;
        return a;
    }
    SIMT_CHANGES friend Counted& operator*=(Counted& a, Counted b) {
        count_operations(1, SIMT_CALLER, &a, sizeof a);
        a.value *= b.value;
        return a;
    }
    SIMT_CHANGES friend Counted& operator/=(Counted& a, Counted b) {
        count_operations(1, SIMT_CALLER, &a, sizeof a);
        a.value /= b.value;
        return a;
    }
#undef SIMT_CHANGES
    SIMT_COUNTS friend Counted atomicAdd(Counted* address, Counted b) {
        return of(1, atomic_add(&address->value, b.value, SIMT_CALLER), SIMT_CALLER);
    }

    // Functions, by CUDA's names for float and for both.
    SIMT_COUNTS friend Counted fma(Counted a, Counted b, Counted c) {
        return of(2, std::fma(a.value, b.value, c.value), SIMT_CALLER);
    }
    SIMT_COUNTS friend Counted fmaf(Counted a, Counted b, Counted c) {
        return of(2, std::fma(a.value, b.value, c.value), SIMT_CALLER);
    }
    SIMT_COUNTS friend Counted exp(Counted a) { return of(1, std::exp(a.value), SIMT_CALLER); }
    SIMT_COUNTS friend Counted expf(Counted a) { return of(1, std::exp(a.value), SIMT_CALLER); }
    SIMT_COUNTS friend Counted log(Counted a) { return of(1, std::log(a.value), SIMT_CALLER); }
    SIMT_COUNTS friend Counted logf(Counted a) { return of(1, std::log(a.value), SIMT_CALLER); }
    SIMT_COUNTS friend Counted sqrt(Counted a) { return of(1, std::sqrt(a.value), SIMT_CALLER); }
    SIMT_COUNTS friend Counted sqrtf(Counted a) { return of(1, std::sqrt(a.value), SIMT_CALLER); }
    SIMT_COUNTS friend Counted tanh(Counted a) { return of(1, std::tanh(a.value), SIMT_CALLER); }
    SIMT_COUNTS friend Counted tanhf(Counted a) { return of(1, std::tanh(a.value), SIMT_CALLER); }
    friend Counted fabs(Counted a) { return Counted(std::fabs(a.value)); }
    friend Counted fabsf(Counted a) { return fabs(a); }
    friend Counted fmax(Counted a, Counted b) { return Counted(std::fmax(a.value, b.value)); }
    friend Counted fmaxf(Counted a, Counted b) { return fmax(a, b); }
    friend Counted max(Counted a, Counted b) { return fmax(a, b); }
    friend Counted fmin(Counted a, Counted b) { return Counted(std::fmin(a.value, b.value)); }
    friend Counted fminf(Counted a, Counted b) { return fmin(a, b); }
    friend Counted min(Counted a, Counted b) { return fmin(a, b); }
};
#undef SIMT_COUNTS
#undef SIMT_CALLER

using counted_float = Counted<float>;
using counted_double = Counted<double>;

}  // namespace simt

// ---- shuffles, which count nothing --------------------------------------------------------------
template <class T>
simt::Counted<T> __shfl_sync(unsigned mask, simt::Counted<T> x, int source, int width = 32,
                             int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
    return __shfl_sync(mask, x.value, source, width, line, file);
}
template <class T>
simt::Counted<T> __shfl_up_sync(unsigned mask, simt::Counted<T> x, unsigned delta, int width = 32,
                                int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
    return __shfl_up_sync(mask, x.value, delta, width, line, file);
}
template <class T>
simt::Counted<T> __shfl_down_sync(unsigned mask, simt::Counted<T> x, unsigned delta, int width = 32,
                                  int line = __builtin_LINE(),
                                  const char* file = __builtin_FILE()) {
    return __shfl_down_sync(mask, x.value, delta, width, line, file);
}
template <class T>
simt::Counted<T> __shfl_xor_sync(unsigned mask, simt::Counted<T> x, int flip, int width = 32,
                                 int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
    return __shfl_xor_sync(mask, x.value, flip, width, line, file);
}
