// Who has seen whose steps since the block's last barrier. Each thread counts its own steps: a step
// ends where it meets others of its warp (__syncwarp) or calls a fence. A thread that meets another
// has seen what the other did before, and all that the other had seen. [Lamport 1978; Mattern 1989]
// Between blocks, and between warps, the way is a release (a fence, then an atomic operation) and
// an acquire (a later atomic operation on the same address).
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "shadow.h"

namespace simt::check {

class Clocks {
  public:
    void launch_begins();
    void block_begins(std::uint32_t epoch);
    // The steps of `thread` so far.
    std::uint32_t now(unsigned thread, std::uint32_t epoch) const {
        return warps_[thread / 32].epoch == epoch
                   ? warps_[thread / 32].seen[thread % 32][thread % 32]
                   : 0;
    }
    void warp_meets(unsigned warp, unsigned mask, std::uint32_t epoch);
    // `other_blocks`: they see it too.
    void fence(unsigned thread, std::uint32_t epoch, bool other_blocks);
    void atomic(unsigned thread, std::uint32_t epoch, Address at);
    bool saw_atomics() const { return saw_atomics_; }  // in this launch

    // Whether `now` comes after `before`, by something other than a barrier of the block.
    bool ordered(const Access& before, const Access& now) const {
        if (before.epoch == now.epoch && before.warp() == now.warp()) {
            const Warp& warp = warps_[now.warp()];
            if (warp.epoch == now.epoch &&
                warp.seen[now.thread() % 32][before.thread() % 32] > before.clock())
                return true;
        }
        return !acquired_.empty() && acquired(before, now);
    }

  private:
    // What lane i has seen of lane j: all its steps below seen[i][j].
    struct Warp {
        std::uint32_t epoch = 0;
        std::uint32_t seen[32][32];
    };
    // All that a thread did in its block up to its fence: its own steps below `clock` of `epoch`,
    // and everybody's of the epochs since `block_epoch`.
    struct Release {
        std::uint32_t block_epoch, epoch, clock;
        unsigned thread;
        bool other_blocks;
    };
    // What a thread of this block acquired, and when: its block shares it from the next epoch on.
    struct Acquired {
        Release release;
        std::uint32_t epoch;
        unsigned thread;
    };
    Warp& warp(unsigned number, std::uint32_t epoch);
    bool acquired(const Access& before, const Access& now) const;

    Warp warps_[32];
    std::uint32_t block_epoch_ = 0;
    bool saw_atomics_ = false;
    std::vector<Release> fences_;  // of this block, the latest of each thread and width
    std::vector<Acquired> acquired_;
    std::unordered_map<Address, std::vector<Release>> released_;  // of this launch
};

}  // namespace simt::check
