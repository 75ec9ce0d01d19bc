#include "races.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "state.h"

namespace simt::check {
namespace {

// `oldest`: the first epoch that counts, of the launch; or of the block, whose shared memory is its
// own.
inline bool ordered(const Access& before, const Access& now, std::uint32_t oldest) {
    if (before.epoch < oldest) return true;  // or none at all
    const bool of_block = before.epoch >= state.block_epoch;
    if (of_block && (before.epoch < now.epoch || before.thread() == now.thread())) return true;
    return state.clocks.ordered(before, now);
}

// Reads and atomic operations stay until a plain write ends their time. One that is ordered before
// `now` need not: whoever races with it races with `now`, too. Of more than two, those of different
// warps are the ones to keep, and a third of one warp is forgotten.
void keep(Cell& cell, const Access& now, std::uint32_t oldest) {
    // An atomic operation sees those of earlier blocks on the same place: who comes after it comes
    // after them, as the last block does that sets the counter of blocks to 0 again.
    if (now.atomic())
        for (Access& other : cell.others)
            if (other.atomic() && other.epoch < state.block_epoch) other = {};
    for (Access& other : cell.others) {
        const bool of_block = other.epoch >= state.block_epoch;
        const bool same_kind = other.atomic() == now.atomic();
        if (other.epoch < oldest || (of_block && same_kind && ordered(other, now, oldest))) {
            other = now;
            return;
        }
    }
    const Access &a = cell.others[0], &b = cell.others[1];
    if (a.epoch == b.epoch && a.warp() == b.warp()) cell.others[1] = now;
}

const char* verb(const Access& access, bool writes) {
    return access.atomic() ? "changes" : writes ? "writes" : "reads";
}

int line_number(const std::string& place) { return std::atoi(&place[place.rfind(':') + 1]); }

std::string advice(const Access& before, const Access& now) {
    std::string first = place_text(before), second = place_text(now);
    const std::string fix = before.warp() == now.warp()
                                ? "put __syncthreads(), or within a warp __syncwarp(), between "
                                : "put __syncthreads() between ";
    if (first == second)
        return "; give each thread its own place, use an atomic operation, or " + fix +
               "one run of this line and the next";
    const bool one_atomic = before.atomic() != now.atomic();
    const std::string instead =
        one_atomic ? "; make both atomic operations (atomicAdd(p, 0) reads), or " : "; ";
    const int order = state.sites.order(before.site(), now.site());
    bool turned = order > 0 || (order == 0 && state.sites.behind(before.site(), now.site()));
    // If only the first was passed between the last two barriers, there is one between them.
    const std::uint32_t a = turned ? now.site() : before.site();
    const std::uint32_t b = turned ? before.site() : now.site();
    const std::uint32_t last = now.epoch - 1;
    if (order == 0 && last >= state.block_epoch && state.sites.passed(a, last) &&
        !state.sites.passed(b, last))
        turned = !turned;
    if (turned) std::swap(first, second);
    const bool in_loop = line_number(first) > line_number(second);
    return instead + fix + first + " and " + second + (in_loop ? " of the next round" : "");
}

std::string between_blocks(bool plain) {
    const bool by_atomics = plain && state.clocks.saw_atomics();
    return std::string(
               "; blocks run in any order, and __syncthreads() does not order them: use an atomic "
               "operation, give each block its own place, or use two launches") +
           (by_atomics ? "; what an atomic operation tells that it is done needs __threadfence() "
                         "before that operation"
                       : "");
}

std::string race_text(const Access& before, const Access& now, bool before_writes, bool now_writes,
                      const Place& place, const char* kind) {
    const std::uint64_t block = state.block_of(now), other = state.block_of(before);
    const bool same_block = before.epoch >= state.block_epoch;
    const std::string variable = variable_text(place.at, place.size);
    if (same_block)
        return std::string(kind) + " in " + (place.shared ? "shared" : "global") + " memory: in " +
               block_text(block) + " " + thread_text(before.thread()) + " " +
               verb(before, before_writes) + " " + variable + " at " + place_text(before) +
               " and " + thread_text(now.thread()) + " " + verb(now, now_writes) + " it at " +
               place_text(now) + ", with no barrier between";
    return std::string(kind) + " between blocks: " + thread_text(before.thread()) + " of " +
           block_text(other) + " " + verb(before, before_writes) + " " + variable + " at " +
           place_text(before) + " and " + thread_text(now.thread()) + " of " + block_text(block) +
           " " + verb(now, now_writes) + " it at " + place_text(now);
}

std::string full_text(const Access& before, const Access& now, bool before_writes, bool now_writes,
                      const Place& place) {
    const bool same_block = before.epoch >= state.block_epoch;
    return race_text(before, now, before_writes, now_writes, place, "race") +
           (same_block ? advice(before, now) : between_blocks(!before.atomic() && !now.atomic()));
}

}  // namespace

bool meet(Cell& cell, const Access& now, Way way, bool shared, Met& met) {
    const std::uint32_t oldest = shared ? state.block_epoch : state.launch_epoch;
    bool race = false;
    if (!ordered(cell.write, now, oldest)) {
        met = {cell.write, true};
        race = true;
    } else {
        for (const Access& other : cell.others) {
            const bool agree = way == Way::write ? false : other.atomic() == now.atomic();
            if (agree || ordered(other, now, oldest)) continue;
            met = {other, false};
            race = true;
            break;
        }
    }
    if (way == Way::write)
        cell = {now, {}};
    else
        keep(cell, now, oldest);
    return race;
}

void report_race(const Met& met, const Access& now, Way way, const Place& place) {
    const Access& before = met.before;
    const bool writes = way == Way::write;
    if (met.wrote && writes && place.size <= sizeof state.pending.before) {
        if (state.pending.place.size != 0) return;
        state.pending = {before, now, place, {}};
        std::memcpy(state.pending.before, reinterpret_cast<const void*>(place.at), place.size);
        return;
    }
    const Kind kind = before.epoch >= state.block_epoch ? Kind::race : Kind::block_race;
    if (state.reports.is_new(kind, before.site(), now.site(), state.sites))
        state.reports.add(full_text(before, now, met.wrote, writes, place));
}

void settle_pending() {
    PendingWrites& p = state.pending;
    if (p.place.size == 0) return;
    const Inside inside;
    const Place place = p.place;
    p.place.size = 0;
    const bool same =
        std::memcmp(p.before, reinterpret_cast<const void*>(place.at), place.size) == 0;
    const Kind kind = same                                 ? Kind::same_value
                      : p.first.epoch >= state.block_epoch ? Kind::race
                                                           : Kind::block_race;
    if (!state.reports.is_new(kind, p.first.site(), p.second.site(), state.sites)) return;
    if (!same) return state.reports.add(full_text(p.first, p.second, true, true, place));
    state.reports.add(race_text(p.first, p.second, true, true, place, "same-value race") +
                          "; both write the same value, so the result does not depend on their "
                          "order; one thread would do",
                      true);
}

}  // namespace simt::check
