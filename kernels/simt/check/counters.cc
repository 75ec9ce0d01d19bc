#include "counters.h"

#include <algorithm>
#include <bit>
#include <set>
#include <utility>

#include "state.h"

namespace simt::check {
namespace {

// Groups between two barriers: 70 MB of them. What would open another is left out, and said to be.
constexpr std::size_t most_open = 1u << 18;
constexpr unsigned most_rounds = 8, most_drawn = 64;

// How many different units of `unit` bytes the lanes ask for.
template <class Group>
std::uint64_t distinct(const Group& group, Address unit, unsigned lanes) {
    std::vector<Address> all;
    for (unsigned lane = 0; lane < 32; ++lane) {
        if (!(lanes >> lane & 1)) continue;
        const Address last = (group.at[lane] + group.size - 1) / unit;
        for (Address i = group.at[lane] / unit; i <= last; ++i) all.push_back(i);
    }
    std::sort(all.begin(), all.end());
    return static_cast<std::uint64_t>(std::unique(all.begin(), all.end()) - all.begin());
}

// The most different words that one bank has to give: how many passes shared memory needs.
template <class Group>
std::uint64_t passes(const Group& group, unsigned lanes) {
    std::set<Address> of_bank[banks];
    for (unsigned lane = 0; lane < 32; ++lane) {
        if (!(lanes >> lane & 1)) continue;
        const Address last = (group.at[lane] + group.size - 1) / bank_bytes;
        for (Address word = group.at[lane] / bank_bytes; word <= last; ++word)
            of_bank[word % banks].insert(word);
    }
    std::size_t most = 0;
    for (const auto& words : of_bank) most = std::max(most, words.size());
    return most;
}

// The most lanes that change one place.
template <class Group>
std::uint64_t contention(const Group& group) {
    std::map<Address, std::uint64_t> lanes;
    std::uint64_t most = 0;
    for (unsigned lane = 0; lane < 32; ++lane)
        if (group.lanes >> lane & 1) most = std::max(most, ++lanes[group.at[lane]]);
    return most;
}

}  // namespace

void Counters::launch_begins() {
    groups_.clear();
    lines_.clear();
    operations_.clear();
    accesses_.clear();
    rounds_.clear();
    cut_ = false;
}

void Counters::touch(Address at, unsigned size, Way way, bool shared, std::uint32_t site,
                     unsigned thread) {
    const std::uint32_t occurrence = occurrences_[thread][site]++;
    const Key key = {site, occurrence, thread / 32};
    if (groups_.size() >= most_open && !groups_.contains(key)) {
        cut_ = true;
        return;
    }
    Group& group = groups_[key];
    if (group.lanes == 0) group.turn = ++turns_;
    group.way = way;
    group.shared = shared;
    group.size = std::max(group.size, size);
    group.lanes |= 1u << thread % 32;
    group.at[thread % 32] = at;
}

void Counters::compute(unsigned operations, std::uint32_t site) { operations_[site] += operations; }

void Counters::part_ends() {
    draw_part();
    for (const auto& [key, group] : groups_) count(key.site, group);
    groups_.clear();
    for (auto& of_thread : occurrences_) of_thread.clear();
}

// What warp 0 of block 0 did since the last barrier, in its order.
void Counters::draw_part() {
    if (state.blocks.empty() || state.blocks.back().second != 0) return;
    if (accesses_.size() >= most_drawn) return;
    std::vector<std::pair<std::uint64_t, const std::pair<const Key, Group>*>> order;
    for (const auto& entry : groups_)
        if (entry.first.warp == 0) order.push_back({entry.second.turn, &entry});
    std::sort(order.begin(), order.end());
    for (const auto& [turn, entry] : order) {
        const unsigned round = ++rounds_[entry->first.site];
        if (round > most_rounds || accesses_.size() >= most_drawn) continue;
        accesses_.push_back(drawn(entry->first.site, entry->second));
        accesses_.back().round = round;
    }
}

WarpAccess Counters::drawn(std::uint32_t site, const Group& group) {
    const Variable variable = variable_at(group.at[std::countr_zero(group.lanes)]);
    WarpAccess access = {state.sites.place(site),
                         verb(group.way),
                         variable.name,
                         group.shared,
                         group.size,
                         group.lanes,
                         {},
                         1};
    for (unsigned lane = 0; lane < 32; ++lane)
        if (group.lanes >> lane & 1)
            access.offset[lane] = static_cast<std::int64_t>(group.at[lane] - variable.begin);
    return access;
}

void Counters::count(std::uint32_t site, const Group& group) {
    LineCounts& line = lines_[state.sites.place(site)];
    const auto lanes = static_cast<std::uint64_t>(std::popcount(group.lanes));
    const std::uint64_t bytes = lanes * group.size;
    ++line.instructions;
    line.lanes += lanes;
    (group.way == Way::read ? line.bytes_read : line.bytes_written) += bytes;
    if (group.way == Way::atomic) {
        ++line.atomics;
        line.bytes_read += bytes;
        line.atomic_passes += contention(group);
    }
    if (!group.shared) {
        line.sectors += distinct(group, sector_bytes, group.lanes);
        line.ideal_sectors += (distinct(group, 1, group.lanes) + sector_bytes - 1) / sector_bytes;
        return;
    }
    const unsigned width = lanes_at_once(group.size);
    for (unsigned first = 0; first < 32; first += width) {
        const unsigned part = (width == 32 ? ~0u : (1u << width) - 1) << first & group.lanes;
        if (part == 0) continue;
        ++line.ideal_passes;
        const std::uint64_t needed = passes(group, part);
        line.passes += needed;
        line.most_passes = std::max(line.most_passes, needed);
    }
}

void Counters::launch_ends() {
    part_ends();
    counts = {};
    counts.cut = cut_;
    for (const auto& [site, operations] : operations_)
        lines_[state.sites.place(site)].operations += operations;
    counts.accesses = std::move(accesses_);
    for (auto& [place, line] : lines_) {
        line.place = place;
        counts.lines.push_back(line);
    }
    // By the number of the line, not by its digits.
    std::sort(counts.lines.begin(), counts.lines.end(), [](const auto& a, const auto& b) {
        const auto key = [](const std::string& place) {
            const std::size_t colon = place.rfind(':');
            return std::pair(place.substr(0, colon), place.size());
        };
        return std::pair(key(a.place), a.place) < std::pair(key(b.place), b.place);
    });
    for (const LineCounts& line : counts.lines) {
        counts.bytes_read += line.bytes_read;
        counts.bytes_written += line.bytes_written;
        counts.operations += line.operations;
        counts.sectors += line.sectors;
    }
    const Launch& launch = *state.launch;
    counts.grid = launch.grid;
    counts.block = launch.block;
}

}  // namespace simt::check
