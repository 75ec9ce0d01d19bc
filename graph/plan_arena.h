// Room for values in one run of bytes: a small malloc that only counts, and never touches memory.
#pragma once

#include <cstdint>
#include <map>

namespace tg {

constexpr std::int64_t arena_alignment = 64;  // a cache line, and the widest vector
constexpr std::int64_t aligned(std::int64_t bytes) {
    return (bytes + arena_alignment - 1) / arena_alignment * arena_alignment;
}

class Arena {
  public:
    // The offset of that many free bytes, from the smallest gap that has them (best fit: the large
    // gaps are left for large values). Without one, the arena grows at its end.
    std::int64_t take(std::int64_t bytes);
    void give(std::int64_t offset, std::int64_t bytes);  // as taken; joins its neighbours
    std::int64_t size() const { return size_; }          // the most it ever had to be

  private:
    std::map<std::int64_t, std::int64_t> gaps_;  // offset -> bytes; no two touch
    std::int64_t size_ = 0;
};

}  // namespace tg
