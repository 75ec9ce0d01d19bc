#include "allocations.h"

#include <iterator>

namespace simt::check {
namespace {

constexpr std::size_t far = 64 * 1024;

using Map = std::map<Address, Allocation>;

const Allocation* before(const Map& all, Address at) {
    auto next = all.upper_bound(at);
    return next == all.begin() ? nullptr : &std::prev(next)->second;
}

void erase_between(Map& all, Address begin, Address end) {
    auto first = all.lower_bound(begin);
    if (first != all.begin() && std::prev(first)->second.end() > begin) --first;
    while (first != all.end() && first->first < end) first = all.erase(first);
}

}  // namespace

void Allocations::add(Address begin, std::size_t bytes) {
    erase_between(released_, begin, begin + bytes + 1);
    live_[begin] = {begin, bytes};
}

void Allocations::remove(Address begin) {
    const auto found = live_.find(begin);
    if (found == live_.end()) return;
    released_[begin] = found->second;
    live_.erase(found);
}

const Allocation* Allocations::holding(Address at) const {
    const Allocation* a = before(live_, at);
    return a && at < a->end() ? a : nullptr;
}

const Allocation* Allocations::near(Address at) const {
    const Allocation* left = before(live_, at);
    const auto next = live_.upper_bound(at);
    const Allocation* right = next == live_.end() ? nullptr : &next->second;
    if (left && at < left->end()) return left;
    if (left && at - left->begin >= left->bytes + far) left = nullptr;
    if (right && right->begin - at >= far) right = nullptr;
    if (!left || !right) return left ? left : right;
    return at - left->end() <= right->begin - at ? left : right;
}

const Allocation* Allocations::released_at(Address at) const {
    const Allocation* a = before(released_, at);
    return a && at < a->end() ? a : nullptr;
}

}  // namespace simt::check
