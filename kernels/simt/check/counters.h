// What a launch does to memory, line by line, counted as a GPU would serve it: the 32 threads of a
// warp run an instruction together, and what they ask for is fetched in sectors of 32 bytes, or
// from 32 banks of 4 bytes in shared memory. Here they run one after another; their accesses belong
// together if they are the same thread's n-th at the same instruction since the last barrier.
// Counted by the rules that CUDA documents, not measured on a GPU. [CUDA C++ Programming Guide,
// Compute Capabilities; Best Practices Guide, 9.2]
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "../host.h"
#include "access.h"
#include "check.h"

namespace simt::check {

constexpr Address sector_bytes = 32, bank_bytes = 4, banks = 32;

// Wide accesses to shared memory are served in parts: 8 bytes a half warp at a time, 16 a quarter.
inline unsigned lanes_at_once(unsigned size) { return size <= 4 ? 32 : size <= 8 ? 16 : 8; }

class Counters {
  public:
    bool on = false;

    void launch_begins();
    void touch(Address at, unsigned size, Way way, bool shared, std::uint32_t site,
               unsigned thread);
    void compute(unsigned operations, std::uint32_t site);
    void part_ends();  // at a barrier, or of a block: nobody joins an older access any more
    void launch_ends();

    LaunchCounts counts;

  private:
    // The accesses of a warp that belong together.
    struct Group {
        Way way = Way::read;
        bool shared = false;
        unsigned size = 0;
        unsigned lanes = 0;
        Address at[32] = {};
        std::uint64_t turn = 0;  // of its first lane
    };
    struct Key {
        std::uint32_t site, occurrence;
        unsigned warp;
        bool operator==(const Key&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const {
            std::uint64_t h = key.site * 0x9e3779b97f4a7c15u + key.occurrence;
            h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u + key.warp;
            return h ^ h >> 32;
        }
    };
    void count(std::uint32_t site, const Group& group);
    void draw_part();
    WarpAccess drawn(std::uint32_t site, const Group& group);

    std::unordered_map<Key, Group, Hash> groups_;
    // By thread: how often it came by each site.
    std::unordered_map<std::uint32_t, std::uint32_t> occurrences_[most_threads];
    std::map<std::string, LineCounts> lines_;
    std::unordered_map<std::uint32_t, std::uint64_t> operations_;  // by site
    std::uint64_t turns_ = 0;
    std::vector<WarpAccess> accesses_;
    std::unordered_map<std::uint32_t, unsigned> rounds_;  // of warp 0 of block 0, at each site
    bool cut_ = false;
};

}  // namespace simt::check
