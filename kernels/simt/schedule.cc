#include "schedule.h"

#include <cstdlib>
#include <numeric>
#include <string_view>
#include <utility>

namespace simt {

// [Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"]: the finaliser of
// SplitMix64, of a counter.
std::uint64_t Order::random() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// Blocks go in the order i -> (factor i + shift) mod blocks, which is a permutation if the factor
// has no divisor in common with the number of blocks, and needs no memory.
void Order::begin_launch(std::uint64_t blocks) {
    if (schedule != Schedule::random) return;
    state = seed * 0x2545f4914f6cdd1du + launches++;
    factor = 1 + random() % blocks;
    while (std::gcd(factor, blocks) != 1) ++factor;
    shift = random() % blocks;
}

std::uint64_t Order::block(std::uint64_t i, std::uint64_t blocks) const {
    if (schedule == Schedule::forward) return i;
    if (schedule == Schedule::reverse) return blocks - 1 - i;
    const bool fits = blocks < std::uint64_t{1} << 32;  // factor * i, in 64 bits
    return fits ? (factor * i + shift) % blocks : i;
}

void Order::begin_block(unsigned count) {
    if (schedule == Schedule::forward) return;
    for (unsigned i = 0; i < count; ++i) threads[i] = static_cast<std::uint16_t>(count - 1 - i);
    if (schedule == Schedule::reverse) return;
    for (unsigned i = count; i > 1; --i) std::swap(threads[i - 1], threads[below(i)]);
}

bool read_schedule(const char* text, Schedule& schedule, std::uint64_t& seed) {
    const std::string_view name = text;
    if (name == "forward") {
        schedule = Schedule::forward;
    } else if (name == "reverse") {
        schedule = Schedule::reverse;
    } else if (name == "random") {
        schedule = Schedule::random;
    } else if (name.starts_with("random:") && name.size() > 7) {
        char* end = nullptr;
        schedule = Schedule::random;
        seed = std::strtoull(text + 7, &end, 10);
        return *end == '\0';
    } else {
        return false;
    }
    return true;
}

}  // namespace simt
