#include "graph/plan_arena.h"

#include <iterator>

namespace tg {

std::int64_t Arena::take(std::int64_t bytes) {
    bytes = aligned(bytes);
    if (bytes == 0) return 0;
    auto best = gaps_.end();
    for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap)
        if (gap->second >= bytes && (best == gaps_.end() || gap->second < best->second)) best = gap;
    if (best != gaps_.end()) {
        const auto [offset, room] = *best;
        gaps_.erase(best);
        if (room > bytes) gaps_[offset + bytes] = room - bytes;
        return offset;
    }
    std::int64_t offset = size_;
    if (!gaps_.empty()) {  // a gap at the end need only be made longer
        const auto last = std::prev(gaps_.end());
        if (last->first + last->second == size_) {
            offset = last->first;
            gaps_.erase(last);
        }
    }
    size_ = offset + bytes;
    return offset;
}

void Arena::give(std::int64_t offset, std::int64_t bytes) {
    bytes = aligned(bytes);
    if (bytes == 0) return;
    const auto after = gaps_.upper_bound(offset);
    if (after != gaps_.end() && after->first == offset + bytes) {
        bytes += after->second;
        gaps_.erase(after);
    }
    const auto at = gaps_.lower_bound(offset);
    if (at != gaps_.begin()) {
        const auto before = std::prev(at);
        if (before->first + before->second == offset) {
            before->second += bytes;
            return;
        }
    }
    gaps_[offset] = bytes;
}

}  // namespace tg
