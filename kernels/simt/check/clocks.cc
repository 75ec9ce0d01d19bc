#include "clocks.h"

#include <algorithm>

namespace simt::check {

void Clocks::launch_begins() {
    released_.clear();
    saw_atomics_ = false;
}

void Clocks::block_begins(std::uint32_t epoch) {
    block_epoch_ = epoch;
    fences_.clear();
    acquired_.clear();
}

Clocks::Warp& Clocks::warp(unsigned number, std::uint32_t epoch) {
    Warp& warp = warps_[number];
    if (warp.epoch == epoch) return warp;
    warp.epoch = epoch;
    std::fill(&warp.seen[0][0], &warp.seen[0][0] + 32 * 32, 0u);
    return warp;
}

void Clocks::warp_meets(unsigned number, unsigned mask, std::uint32_t epoch) {
    Warp& warp = this->warp(number, epoch);
    std::uint32_t all[32] = {};
    for (unsigned lane = 0; lane < 32; ++lane) {
        if (!(mask >> lane & 1)) continue;
        ++warp.seen[lane][lane];
        for (unsigned j = 0; j < 32; ++j) all[j] = std::max(all[j], warp.seen[lane][j]);
    }
    for (unsigned lane = 0; lane < 32; ++lane)
        if (mask >> lane & 1) std::copy(all, all + 32, warp.seen[lane]);
}

void Clocks::fence(unsigned thread, std::uint32_t epoch, bool other_blocks) {
    const std::uint32_t clock = ++warp(thread / 32, epoch).seen[thread % 32][thread % 32];
    const Release release = {block_epoch_, epoch, clock, thread, other_blocks};
    for (Release& known : fences_) {
        if (known.thread != thread || known.other_blocks != other_blocks) continue;
        known = release;
        return;
    }
    fences_.push_back(release);
}

void Clocks::atomic(unsigned thread, std::uint32_t epoch, Address at) {
    saw_atomics_ = true;
    if (fences_.empty() && released_.empty()) return;
    if (const auto found = released_.find(at); found != released_.end())
        for (const Release& release : found->second)
            if (release.block_epoch == block_epoch_ ? release.thread != thread
                                                    : release.other_blocks)
                acquired_.push_back({release, epoch, thread});
    for (const Release& fence : fences_)
        if (fence.thread == thread) released_[at].push_back(fence);
}

bool Clocks::acquired(const Access& before, const Access& now) const {
    for (const Acquired& a : acquired_) {
        if (a.thread != now.thread() && a.epoch >= now.epoch) continue;
        const Release& r = a.release;
        if (before.epoch < r.block_epoch || before.epoch > r.epoch) continue;
        if (before.epoch < r.epoch || (before.thread() == r.thread && before.clock() < r.clock))
            return true;
    }
    return false;
}

}  // namespace simt::check
