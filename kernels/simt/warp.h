// The operations in which lanes of one warp meet. `mask` has a bit for each lane that takes part;
// nobody goes on before all of them are there. Lanes that have returned, or that the last warp of a
// block does not have, are not waited for, but reading from one is an error. The last two
// parameters are the caller's place: lanes that meet must be at the same one.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace simt {

struct Place {
    const char* file;
    int line;
};

// Out of line, so that a checker that watches kernels does not see the emulator's own memory.
enum class Source { lane, up, down, exchange };  // how a shuffle names the lane that it reads
enum class Reduction {
    add,
    add_signed,
    min,
    min_signed,
    max,
    max_signed,
    bit_and,
    bit_or,
    bit_xor
};
void sync_warp(unsigned mask, Place place);
std::uint64_t shuffle(Source source, unsigned mask, std::uint64_t value, unsigned bytes,
                      unsigned amount, int width, Place place);
unsigned ballot(const char* operation, unsigned mask, bool yes, Place place);
unsigned match(bool all, unsigned mask, std::uint64_t value, unsigned bytes, Place place);
unsigned reduce(Reduction reduction, unsigned mask, unsigned value, Place place);
unsigned active_mask(Place place);

// The numbers that can be handed from lane to lane; smaller ones become int, as in CUDA.
template <class T>
concept Number = std::is_arithmetic_v<T> && sizeof(T) <= 8;

template <Number T>
std::uint64_t bits(T value) {
    std::uint64_t all = 0;
    std::memcpy(&all, &value, sizeof value);
    return all;
}
template <Number T>
T from_bits(std::uint64_t all) {
    T value;
    std::memcpy(&value, &all, sizeof value);
    return value;
}
template <Number T>
T shuffled(Source source, unsigned mask, T value, unsigned amount, int width, Place place) {
    return from_bits<T>(shuffle(source, mask, bits(value), sizeof value, amount, width, place));
}

}  // namespace simt

inline void __syncwarp(unsigned mask = 0xffffffff, int line = __builtin_LINE(),
                       const char* file = __builtin_FILE()) {
    simt::sync_warp(mask, {file, line});
}

// ---- shuffles ---------------------------------------------------------------------------------
// Each returns the value that another lane passed. `width`, a power of two, cuts the warp into
// segments that do not see each other: lanes are counted within one.

// ... lane `source` of the segment.
template <simt::Number T>
auto __shfl_sync(unsigned mask, T value, int source, int width = 32, int line = __builtin_LINE(),
                 const char* file = __builtin_FILE()) {
    return simt::shuffled(simt::Source::lane, mask, +value, static_cast<unsigned>(source), width,
                          {file, line});
}
// ... the lane `delta` below; the lowest `delta` lanes of a segment get their own.
template <simt::Number T>
auto __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                    int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
    return simt::shuffled(simt::Source::up, mask, +value, delta, width, {file, line});
}
// ... the lane `delta` above; the highest `delta` lanes of a segment get their own.
template <simt::Number T>
auto __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                      int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
    return simt::shuffled(simt::Source::down, mask, +value, delta, width, {file, line});
}
// ... the lane whose number is the caller's ^ `flip`; the caller's own, if that is in a later
// segment.
template <simt::Number T>
auto __shfl_xor_sync(unsigned mask, T value, int flip, int width = 32, int line = __builtin_LINE(),
                     const char* file = __builtin_FILE()) {
    return simt::shuffled(simt::Source::exchange, mask, +value, static_cast<unsigned>(flip), width,
                          {file, line});
}

// ---- votes and matches ------------------------------------------------------------------------
// The lanes of the mask that passed a true `predicate`.
inline unsigned __ballot_sync(unsigned mask, int predicate, int line = __builtin_LINE(),
                              const char* file = __builtin_FILE()) {
    return simt::ballot("__ballot_sync", mask, predicate != 0, {file, line});
}
inline int __any_sync(unsigned mask, int predicate, int line = __builtin_LINE(),
                      const char* file = __builtin_FILE()) {
    return simt::ballot("__any_sync", mask, predicate != 0, {file, line}) != 0;
}
inline int __all_sync(unsigned mask, int predicate, int line = __builtin_LINE(),
                      const char* file = __builtin_FILE()) {
    return simt::ballot("__all_sync", mask, predicate == 0, {file, line}) == 0;
}
// The lanes of the mask that passed the same bits as the caller.
template <simt::Number T>
unsigned __match_any_sync(unsigned mask, T value, int line = __builtin_LINE(),
                          const char* file = __builtin_FILE()) {
    return simt::match(false, mask, simt::bits(+value), sizeof + value, {file, line});
}
// The mask, if all its lanes passed the same bits, else 0; *same says which.
template <simt::Number T>
unsigned __match_all_sync(unsigned mask, T value, int* same, int line = __builtin_LINE(),
                          const char* file = __builtin_FILE()) {
    const unsigned result =
        simt::match(true, mask, simt::bits(+value), sizeof + value, {file, line});
    *same = result != 0;
    return result;
}

// The lanes that are at this line with the caller. No lane is waited for, so which ones these are
// is not defined: here all that can come, under the random schedule only some of them.
inline unsigned __activemask(int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
    return simt::active_mask({file, line});
}

// ---- reductions, from compute capability 8.0 on -----------------------------------------------
inline unsigned __reduce_add_sync(unsigned mask, unsigned value, int line = __builtin_LINE(),
                                  const char* file = __builtin_FILE()) {
    return simt::reduce(simt::Reduction::add, mask, value, {file, line});
}
inline int __reduce_add_sync(unsigned mask, int value, int line = __builtin_LINE(),
                             const char* file = __builtin_FILE()) {
    return static_cast<int>(simt::reduce(simt::Reduction::add_signed, mask,
                                         static_cast<unsigned>(value), {file, line}));
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned value, int line = __builtin_LINE(),
                                  const char* file = __builtin_FILE()) {
    return simt::reduce(simt::Reduction::min, mask, value, {file, line});
}
inline int __reduce_min_sync(unsigned mask, int value, int line = __builtin_LINE(),
                             const char* file = __builtin_FILE()) {
    return static_cast<int>(simt::reduce(simt::Reduction::min_signed, mask,
                                         static_cast<unsigned>(value), {file, line}));
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value, int line = __builtin_LINE(),
                                  const char* file = __builtin_FILE()) {
    return simt::reduce(simt::Reduction::max, mask, value, {file, line});
}
inline int __reduce_max_sync(unsigned mask, int value, int line = __builtin_LINE(),
                             const char* file = __builtin_FILE()) {
    return static_cast<int>(simt::reduce(simt::Reduction::max_signed, mask,
                                         static_cast<unsigned>(value), {file, line}));
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value, int line = __builtin_LINE(),
                                  const char* file = __builtin_FILE()) {
    return simt::reduce(simt::Reduction::bit_and, mask, value, {file, line});
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value, int line = __builtin_LINE(),
                                 const char* file = __builtin_FILE()) {
    return simt::reduce(simt::Reduction::bit_or, mask, value, {file, line});
}
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value, int line = __builtin_LINE(),
                                  const char* file = __builtin_FILE()) {
    return simt::reduce(simt::Reduction::bit_xor, mask, value, {file, line});
}
