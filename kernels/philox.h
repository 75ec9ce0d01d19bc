// Philox 4x32-10, a random generator without a state: a counter and a key go through ten rounds
// of multiplications, four 32-bit words come out. So element i of a draw is a function of
// (seed, offset + i) alone, whoever computes it, in whatever order.
// [Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3]
#pragma once

#include <cstdint>

#include "kernels/elementary.h"

namespace tg::philox {

struct Words {
    std::uint32_t word[4];
};

// The low and the high half of a 64-bit product, and the key's steps, are the paper's constants.
TG_FORMULA_FN Words words(std::uint64_t seed, std::uint64_t counter) {
    auto c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32);
    std::uint32_t c2 = 0, c3 = 0;
    auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0;
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c2;
        c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
        c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
        c1 = static_cast<std::uint32_t>(p1);
        c3 = static_cast<std::uint32_t>(p0);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return {{c0, c1, c2, c3}};
}

// A number in [0, 1) from the leading bits of one word (float: 24 bits) or of two (double: 53).
TG_FORMULA_FN float unit_float(std::uint32_t a) { return static_cast<float>(a >> 8) * 0x1p-24f; }
TG_FORMULA_FN double unit_double(std::uint32_t a, std::uint32_t b) {
    return static_cast<double>(((std::uint64_t{a} << 32) | b) >> 11) * 0x1p-53;
}

// Two independent uniform numbers in [0, 1) become two independent normal ones, the polar
// coordinates of a point: radius sqrt(-2 log(1 - u)), angle 2 pi v. [Box and Muller 1958]
template <class T>
TG_FORMULA_FN void box_muller(T& u, T& v) {
    const T radius = static_cast<T>(::sqrt(T(-2) * formula::log_of(T(1) - u)));
    const T angle = static_cast<T>(6.28318530717958647692) * v;
    if constexpr (formula::same<T, float>) {
        u = radius * ::cosf(angle);
        v = radius * ::sinf(angle);
    } else {
        u = radius * ::cos(angle);
        v = radius * ::sin(angle);
    }
}

// Element `index` of the stream of uniform numbers in [0, 1) of a seed. Neighbours in a block of
// four float elements (two in double) share one call of words(): see kernels/cpu/random.cc.
template <class T>
TG_FORMULA_FN T uniform(std::uint64_t seed, std::uint64_t index) {
    if constexpr (formula::same<T, float>) {
        return unit_float(words(seed, index >> 2).word[index & 3]);
    } else {
        const Words w = words(seed, index >> 1);
        const std::uint64_t first = (index & 1) * 2;
        return unit_double(w.word[first], w.word[first + 1]);
    }
}

// Element `index` of the stream of normal numbers: neighbours at an even place are a pair.
template <class T>
TG_FORMULA_FN T normal(std::uint64_t seed, std::uint64_t index) {
    T u = uniform<T>(seed, index & ~std::uint64_t{1});
    T v = uniform<T>(seed, index | 1);
    box_muller(u, v);
    return (index & 1) == 0 ? u : v;
}

}  // namespace tg::philox
