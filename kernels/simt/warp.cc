// Where lanes meet. A lane that arrives leaves its value in its worker's WarpCall and is parked;
// the last one computes everybody's result from those values, makes the others ready, and goes on
// without a switch.
#include "warp.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "machine.h"
#include "observer.h"
#include "watchdog.h"

namespace simt {
namespace {

template <class F>
void for_each_lane(unsigned lanes, F visit) {
    for (; lanes != 0; lanes &= lanes - 1) visit(static_cast<unsigned>(std::countr_zero(lanes)));
}

// The lanes that warp `warp` of a block has.
unsigned lanes_of(unsigned warp) {
    const unsigned lanes = machine.threads - warp * warp_lanes;
    return lanes >= warp_lanes ? ~0u : (1u << lanes) - 1;
}

// ---- results ----------------------------------------------------------------------------------
// min and max of signed numbers as of unsigned ones: flipping the sign bit keeps their order.
unsigned combined(Reduction reduction, unsigned a, unsigned b) {
    constexpr unsigned sign = 0x80000000;
    switch (reduction) {
        case Reduction::add:
        case Reduction::add_signed:
            return a + b;
        case Reduction::min:
            return std::min(a, b);
        case Reduction::min_signed:
            return std::min(a ^ sign, b ^ sign) ^ sign;
        case Reduction::max:
            return std::max(a, b);
        case Reduction::max_signed:
            return std::max(a ^ sign, b ^ sign) ^ sign;
        case Reduction::bit_and:
            return a & b;
        case Reduction::bit_or:
            return a | b;
        case Reduction::bit_xor:
            break;
    }
    return a ^ b;
}

// The workers of a warp's lanes that have met.
struct Lanes {
    unsigned warp, present;

    Worker& worker(unsigned lane) const { return *machine.parked[warp * warp_lanes + lane]; }
    WarpCall& call(unsigned lane) const { return worker(lane).call; }
    template <class Test>
    unsigned which(Test test) const {
        unsigned found = 0;
        for_each_lane(present, [&](unsigned lane) {
            if (test(call(lane))) found |= 1u << lane;
        });
        return found;
    }
    template <class Result>
    void answer(Result result) const {
        for_each_lane(present, [&](unsigned lane) { call(lane).result = result(call(lane)); });
    }
};

void cannot_read(const Lanes& lanes, unsigned lane) {
    const Worker& reader = lanes.worker(lane);
    const unsigned source = reader.call.source;
    const unsigned exist = machine.threads - lanes.warp * warp_lanes;
    machine.failed = true;
    machine.error = std::string(reader.wait.operation) + ": " + who(reader.thread) +
                    " reads lane " + std::to_string(source) + " at " + place(reader.wait);
    if (!(reader.wait.mask >> source & 1))
        machine.error += ", which is not in the mask " + mask_text(reader.wait.mask);
    else if (source >= exist)
        machine.error += ", but warp " + std::to_string(lanes.warp) + " has only " +
                         std::to_string(exist) + " lanes";
    else
        machine.error += ", but that thread has returned";
}

void answer_shuffle(const Lanes& lanes) {
    for_each_lane(lanes.present, [&](unsigned lane) {
        const unsigned source = lanes.call(lane).source;
        if (lanes.present >> source & 1)
            lanes.call(lane).result = lanes.call(source).value;
        else if (!machine.failed)
            cannot_read(lanes, lane);
    });
}

void answer_reduction(const Lanes& lanes) {
    const WarpCall& first = lanes.call(static_cast<unsigned>(std::countr_zero(lanes.present)));
    unsigned total = static_cast<unsigned>(first.value);
    for_each_lane(lanes.present & (lanes.present - 1), [&](unsigned lane) {
        total = combined(first.reduction, total, static_cast<unsigned>(lanes.call(lane).value));
    });
    lanes.answer([&](const WarpCall&) { return total; });
}

void answer(const Lanes& lanes) {
    const WarpCall& first = lanes.call(static_cast<unsigned>(std::countr_zero(lanes.present)));
    const auto like = [&](const WarpCall& one) {
        return lanes.which([&](const WarpCall& other) { return other.value == one.value; });
    };
    switch (first.kind) {
        case Kind::sync:
        case Kind::active:
            break;
        case Kind::shuffle:
            return answer_shuffle(lanes);
        case Kind::ballot: {
            const unsigned yes = lanes.which([](const WarpCall& call) { return call.value != 0; });
            return lanes.answer([&](const WarpCall&) { return yes; });
        }
        case Kind::match_any:
            return lanes.answer(like);
        case Kind::match_all: {
            const unsigned result = like(first) == lanes.present ? lanes.present : 0;
            return lanes.answer([&](const WarpCall&) { return result; });
        }
        case Kind::reduce:
            return answer_reduction(lanes);
    }
}

// ---- meeting ----------------------------------------------------------------------------------
// Fails the launch; the caller then calls leave(). (Not in one: what a frame that is left owns, as
// the text itself, is never freed.)
void blame(const Wait& wait, const std::string& why) {
    machine.failed = true;
    machine.error = std::string(wait.operation) + ": " + who(machine.running->thread) + why;
}

std::string other_text(const Worker& other) {
    return "thread " + text(other.index) + " waits in " + other.wait.operation + " at " +
           place(other.wait) + " with mask " + mask_text(other.wait.mask);
}

// Compilers may keep one text twice.
bool same_text(const char* a, const char* b) { return a == b || std::strcmp(a, b) == 0; }

bool same_operation(const WarpCall& a, const WarpCall& b) {
    return a.kind == b.kind && a.bytes == b.bytes && a.reduction == b.reduction;
}

// That the caller may join those who came first.
bool may_join(const Wait& wait, const WarpCall& call, const Worker& first) {
    const bool same_name = same_text(wait.operation, first.wait.operation);
    // Only __syncwarp may be at two places: one side of an `if` each.
    if (same_name && same_operation(call, first.call) &&
        (call.kind == Kind::sync || same_place(wait, first.wait)))
        return true;
    blame(wait, " is at " + place(wait) + " with mask " + mask_text(wait.mask) + ", but " +
                    other_text(first) + "; all lanes of a mask must make the same call" +
                    (same_name && same_place(wait, first.wait) ? " with the same type" : ""));
    return false;
}

// That no lane of the caller's mask waits for the caller with another mask: neither could go on.
bool masks_agree(const Wait& wait, unsigned warp, unsigned lane) {
    for (const Meeting& other : machine.meetings[warp]) {
        if (other.mask == wait.mask || !(other.mask >> lane & 1) || !(other.arrived & wait.mask))
            continue;
        blame(wait, " passes mask " + mask_text(wait.mask) + " at " + place(wait) + ", but " +
                        other_text(*other.first) + "; lanes that meet must pass the same mask");
        return false;
    }
    return true;
}

bool in_own_mask(const Wait& wait, unsigned lane) {
    if (wait.mask >> lane & 1) return true;
    blame(wait, " is lane " + std::to_string(lane) + ", which is not in its own mask " +
                    mask_text(wait.mask) + " at " + place(wait));
    return false;
}

void let_go_on(const Lanes& lanes) {
    const unsigned first = static_cast<unsigned>(std::countr_zero(lanes.present));
    if (observer && lanes.call(first).kind == Kind::sync)
        observer->warp_synchronised(lanes.warp, lanes.present);
    answer(lanes);
    const bool reversed = machine.order.schedule == Schedule::reverse;
    for (unsigned i = 0; i < warp_lanes; ++i) {
        const unsigned lane = reversed ? warp_lanes - 1 - i : i;
        if (!(lanes.present >> lane & 1)) continue;
        Worker& worker = lanes.worker(lane);
        if (&worker == machine.running)
            machine.parked[worker.thread] = nullptr;
        else
            make_ready(worker);
    }
}

// The running thread's call; returns its result when all lanes of the mask have made theirs.
std::uint64_t meet(const Wait& wait, const WarpCall& call) {
    Worker& self = *machine.running;
    const unsigned warp = self.thread / warp_lanes, lane = self.thread % warp_lanes;
    if (!in_own_mask(wait, lane)) leave();
    auto& meetings = machine.meetings[warp];
    auto meeting = std::find_if(meetings.begin(), meetings.end(),
                                [&](const Meeting& m) { return m.mask == wait.mask; });
    if (meeting == meetings.end()) {
        if (!masks_agree(wait, warp, lane)) leave();
        meeting = meetings.insert(meetings.end(), {wait.mask, 0, &self});
    } else if (!may_join(wait, call, *meeting->first)) {
        leave();
    }
    self.call = call;
    meeting->arrived |= 1u << lane;
    if (meeting->arrived != (wait.mask & lanes_of(warp))) {
        park(wait.operation, wait.file, wait.line, wait.mask);
        return self.call.result;
    }
    const Lanes lanes{warp, meeting->arrived};
    meetings.erase(meeting);
    self.wait = wait;
    machine.parked[self.thread] = &self;
    let_go_on(lanes);
    self.wait.operation = nullptr;
    if (machine.failed) leave();
    if (launch_is_overdue() || machine.order.coin()) give_way(wait.operation);
    return self.call.result;
}

// ---- when nobody can run ----------------------------------------------------------------------
// The lanes of the mask that can still come: they wait elsewhere.
unsigned alive(unsigned warp) {
    unsigned found = 0;
    for_each_lane(lanes_of(warp), [&](unsigned lane) {
        if (machine.parked[warp * warp_lanes + lane]) found |= 1u << lane;
    });
    return found;
}

bool release_met(unsigned warp) {
    auto& meetings = machine.meetings[warp];
    const unsigned living = meetings.empty() ? 0 : alive(warp);
    for (auto meeting = meetings.begin(); meeting != meetings.end(); ++meeting)
        if ((meeting->mask & living & ~meeting->arrived) == 0) {
            const Lanes lanes{warp, meeting->arrived};
            meetings.erase(meeting);
            let_go_on(lanes);
            return true;
        }
    return false;
}

bool asks_who_is_active(const Worker* worker) {
    return worker && worker->call.kind == Kind::active &&
           std::strcmp(worker->wait.operation, "__activemask") == 0;
}

bool release_active(unsigned warp) {
    const unsigned begin = warp * warp_lanes;
    unsigned lanes = 0;
    const Worker* first = nullptr;
    for_each_lane(lanes_of(warp), [&](unsigned lane) {
        const Worker* worker = machine.parked[begin + lane];
        if (!asks_who_is_active(worker)) return;
        if (first == nullptr) first = worker;
        // Which lanes run together is not defined: under the random schedule some are left out.
        const bool comes = lanes == 0 || !machine.order.coin();
        if (comes && same_place(worker->wait, first->wait)) lanes |= 1u << lane;
    });
    for_each_lane(lanes, [&](unsigned lane) {
        Worker& worker = *machine.parked[begin + lane];
        worker.call.result = lanes;
        make_ready(worker);
    });
    return lanes != 0;
}

}  // namespace

bool settle_warps() {
    bool released = false;
    const unsigned warps = (machine.threads + warp_lanes - 1) / warp_lanes;
    for (unsigned warp = 0; warp < warps; ++warp) {
        released = release_met(warp) || released;
        if (machine.failed) return true;
    }
    for (unsigned warp = 0; !released && warp < warps; ++warp) released = release_active(warp);
    return released;
}

// ---- the operations ---------------------------------------------------------------------------
void sync_warp(unsigned mask, Place at) { meet({"__syncwarp", at.file, at.line, mask}, {}); }

// Lane l of a segment that begins at b and has `width` lanes, so that b = l & ~(width - 1).
static unsigned source_lane(Source source, unsigned lane, unsigned amount, unsigned width) {
    const unsigned within = lane & (width - 1), begin = lane - within;
    switch (source) {
        case Source::lane:
            return begin + (amount & (width - 1));
        case Source::up:
            return amount <= within ? lane - amount : lane;
        case Source::down:
            return amount < width - within ? lane + amount : lane;
        case Source::exchange:
            break;
    }
    return (lane ^ amount) < begin + width ? lane ^ amount : lane;
}

std::uint64_t shuffle(Source source, unsigned mask, std::uint64_t value, unsigned bytes,
                      unsigned amount, int width, Place at) {
    constexpr const char* names[] = {"__shfl_sync", "__shfl_up_sync", "__shfl_down_sync",
                                     "__shfl_xor_sync"};
    const Wait wait = {names[static_cast<int>(source)], at.file, at.line, mask};
    const unsigned segment = static_cast<unsigned>(width);
    if (width < 1 || width > 32 || !std::has_single_bit(segment)) {
        blame(wait, " passes width " + std::to_string(width) + " at " + place(wait) +
                        "; it must be 1, 2, 4, 8, 16 or 32");
        leave();
    }
    WarpCall call;
    call.kind = Kind::shuffle;
    call.bytes = bytes;
    call.source = source_lane(source, machine.running->thread % warp_lanes, amount, segment);
    call.value = value;
    return meet(wait, call);
}

unsigned ballot(const char* operation, unsigned mask, bool yes, Place at) {
    WarpCall call;
    call.kind = Kind::ballot;
    call.value = yes;
    return static_cast<unsigned>(meet({operation, at.file, at.line, mask}, call));
}

unsigned match(bool all, unsigned mask, std::uint64_t value, unsigned bytes, Place at) {
    WarpCall call;
    call.kind = all ? Kind::match_all : Kind::match_any;
    call.bytes = bytes;
    call.value = value;
    const char* operation = all ? "__match_all_sync" : "__match_any_sync";
    return static_cast<unsigned>(meet({operation, at.file, at.line, mask}, call));
}

unsigned reduce(Reduction reduction, unsigned mask, unsigned value, Place at) {
    constexpr const char* names[] = {"__reduce_add_sync", "__reduce_add_sync", "__reduce_min_sync",
                                     "__reduce_min_sync", "__reduce_max_sync", "__reduce_max_sync",
                                     "__reduce_and_sync", "__reduce_or_sync",  "__reduce_xor_sync"};
    WarpCall call;
    call.kind = Kind::reduce;
    call.reduction = reduction;
    call.value = value;
    const char* operation = names[static_cast<int>(reduction)];
    return static_cast<unsigned>(meet({operation, at.file, at.line, mask}, call));
}

unsigned active_mask(Place at) {
    Worker& self = *machine.running;
    self.call = {};
    self.call.kind = Kind::active;
    park("__activemask", at.file, at.line, 0);
    return static_cast<unsigned>(self.call.result);
}

}  // namespace simt
