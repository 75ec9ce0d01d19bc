// A vector of this level, as wide as its registers, and the one operation that the compilers'
// vector extensions lack: the fused multiply-add, a * b + c rounded once. It is called by name
// because the library is built with -ffp-contract=off; level v1 has none and rounds twice.
#pragma once

#include "kernels/cpu/levels/level.h"
#include "kernels/elementary.h"

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace tg::kernels::cpu::TAPEGRAPH_LEVEL {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif

template <class T>
constexpr int vector_lanes = vector_bytes / static_cast<int>(sizeof(T));

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
    typedef float Type __attribute__((vector_size(vector_bytes)));
    typedef float Unaligned __attribute__((vector_size(vector_bytes), aligned(4), may_alias));
};
template <>
struct VectorOf<double> {
    typedef double Type __attribute__((vector_size(vector_bytes)));
    typedef double Unaligned __attribute__((vector_size(vector_bytes), aligned(8), may_alias));
};
template <class T>
using Vector = typename VectorOf<T>::Type;

template <class T>
TG_FORMULA_FN Vector<T> load(const T* from) {
    return *reinterpret_cast<const typename VectorOf<T>::Unaligned*>(from);
}

template <class T>
TG_FORMULA_FN void store(T* to, Vector<T> x) {
    *reinterpret_cast<typename VectorOf<T>::Unaligned*>(to) = x;
}

// x in every lane
template <class T>
TG_FORMULA_FN Vector<T> broadcast(T x) {
    return x - Vector<T>{};
}

TG_FORMULA_FN Vector<float> fused(Vector<float> a, Vector<float> b, Vector<float> c) {
#if defined(__AVX512F__)
    return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
    return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
    return vfmaq_f32(c, a, b);
#else
    return a * b + c;
#endif
}

TG_FORMULA_FN Vector<double> fused(Vector<double> a, Vector<double> b, Vector<double> c) {
#if defined(__AVX512F__)
    return _mm512_fmadd_pd(a, b, c);
#elif defined(__AVX2__)
    return _mm256_fmadd_pd(a, b, c);
#elif defined(__aarch64__)
    return vfmaq_f64(c, a, b);
#else
    return a * b + c;
#endif
}

}  // namespace tg::kernels::cpu::TAPEGRAPH_LEVEL
