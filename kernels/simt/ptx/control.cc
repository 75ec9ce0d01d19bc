// Where a thread goes on, and where threads meet. The places that the emulator compares are lines
// of the PTX.
#include <bit>
#include <string>
#include <string_view>

#include "../observer.h"
#include "../simt.h"
#include "program.h"

namespace simt::ptx {
namespace {

using std::uint32_t;

void branch(Thread& t, const Instruction& i) { t.next = static_cast<std::size_t>(i.number); }

void leave_function(Thread& t, const Instruction&) { t.next = t.function->instructions.size(); }

void leave_kernel(Thread& t, const Instruction& i) {
    if (t.depth > 0) fail(t, i, "exit in a function that is no kernel");
    leave_function(t, i);
}

// The operands are the addresses of .param variables: of the results, then of the arguments.
void call(Thread& t, const Instruction& i) {
    if (t.depth == deepest_call) fail(t, i, "a call that is too deep");
    if (i.called->parameters.size() != i.count) fail(t, i, "a call with other parameters");
    const void* parameters[std::tuple_size_v<decltype(i.operands)>];
    for (std::size_t k = 0; k < i.count; ++k)
        parameters[k] = reinterpret_cast<const void*>(t.frame[i[k]]);
    run(*i.called, parameters, t.depth + 1);
}

Place place_of(const Thread& t, const Instruction& i) { return {t.function->file.c_str(), i.line}; }

// `at`: the operand that is the barrier's number, behind which so many follow.
void check_barrier(const Thread& t, const Instruction& i, std::size_t at, std::size_t follow) {
    if (i.count != at + 1 + follow || t.frame[i[at]] != 0)
        fail(t, i, "a barrier that is not number 0 for all");
}

void barrier(Thread& t, const Instruction& i) {
    check_barrier(t, i, 0, 0);
    __syncthreads(i.line, t.function->file.c_str());
}

// bar.red.op d, 0, p
enum class Vote { all, any, ballot };
template <Vote vote>
void barrier_vote(Thread& t, const Instruction& i) {
    check_barrier(t, i, 1, 1);
    const bool yes = t.frame[i[2]] != 0;
    const char* file = t.function->file.c_str();
    if (vote == Vote::ballot)
        t.set(i[0], static_cast<uint32_t>(__syncthreads_count(yes, i.line, file)));
    else if (vote == Vote::any)
        t.set(i[0], __syncthreads_or(yes, i.line, file) != 0);
    else
        t.set(i[0], __syncthreads_and(yes, i.line, file) != 0);
}

void warp_barrier(Thread& t, const Instruction& i) {
    sync_warp(t.get<uint32_t>(i[0]), place_of(t, i));
}

// shfl.sync.mode d|p, a, b, c, mask: the a of another lane; p says whether it is one of the
// segment. c holds the lanes' bits that count the segments, and the last lane that may be read.
// [PTX ISA, shfl.sync]
template <Source source>
void shuffle_lanes(Thread& t, const Instruction& i) {
    const bool has_predicate = i.first == 2;
    const std::size_t a = i.first;
    const uint32_t b = t.get<uint32_t>(i[a + 1]) & 31, c = t.get<uint32_t>(i[a + 2]);
    const uint32_t lane = current_thread() % 32, segments = c >> 8 & 31, clamp = c & 31;
    const uint32_t last = (lane & segments) | (clamp & ~segments);
    uint32_t from = lane;
    bool inside = true;
    if (source == Source::up) {
        from = lane - b;
        inside = static_cast<int>(from) >= static_cast<int>(last);
    } else {
        if (source == Source::down) from = lane + b;
        if (source == Source::exchange) from = lane ^ b;
        if (source == Source::lane) from = (lane & segments) | (b & ~segments);
        inside = from <= last;
    }
    const Word got = shuffle(Source::lane, t.get<uint32_t>(i[a + 3]), t.get<uint32_t>(i[a]), 4,
                             inside ? from : lane, 32, place_of(t, i));
    t.set(i[0], static_cast<uint32_t>(got));
    if (has_predicate) t.set(i[1], inside);
}

template <Vote vote>
void vote_of_lanes(Thread& t, const Instruction& i) {
    const bool yes = t.frame[i[1]] != 0;
    const uint32_t mask = t.get<uint32_t>(i[2]);
    if (vote == Vote::ballot)
        t.set(i[0], ballot("__ballot_sync", mask, yes, place_of(t, i)));
    else if (vote == Vote::any)
        t.set(i[0], ballot("__any_sync", mask, yes, place_of(t, i)) != 0);
    else
        t.set(i[0], ballot("__all_sync", mask, !yes, place_of(t, i)) == 0);
}

// match.any.sync d, a, mask, and match.all.sync d|p, a, mask: p says whether all have the same.
template <class T, bool all>
void match_lanes(Thread& t, const Instruction& i) {
    const std::size_t a = i.first;
    const uint32_t lanes =
        match(all, t.get<uint32_t>(i[a + 1]), t.get<T>(i[a]), sizeof(T), place_of(t, i));
    t.set(i[0], lanes);
    if (i.first == 2) t.set(i[1], lanes != 0);
}
template <class T>
Step* match_step(Opcode& opcode) {
    if (opcode.take("all")) return match_lanes<T, true>;
    return opcode.take("any") ? match_lanes<T, false> : nullptr;
}

template <Reduction reduction>
void reduce_lanes(Thread& t, const Instruction& i) {
    t.set(i[0], reduce(reduction, t.get<uint32_t>(i[2]), t.get<uint32_t>(i[1]), place_of(t, i)));
}

void active_lanes(Thread& t, const Instruction& i) { t.set(i[0], active_mask(place_of(t, i))); }

// Nanoseconds for cycles, too.
template <class T>
void read_clock(Thread& t, const Instruction& i) {
    t.set(i[0], static_cast<T>(clock64()));
}

void fence(Thread&, const Instruction&) { __threadfence(); }
void sleep(Thread& t, const Instruction& i) { __nanosleep(t.get<uint32_t>(i[0])); }
void trap(Thread& t, const Instruction& i) { fail(t, i, "trap"); }

Step* shuffle_step(Opcode& opcode) {
    opcode.take("sync");
    opcode.take("b32");
    if (opcode.take("idx")) return shuffle_lanes<Source::lane>;
    if (opcode.take("up")) return shuffle_lanes<Source::up>;
    if (opcode.take("down")) return shuffle_lanes<Source::down>;
    return opcode.take("bfly") ? shuffle_lanes<Source::exchange> : nullptr;
}

Step* vote_step(Opcode& opcode) {
    opcode.take("sync");
    opcode.take_type();
    if (opcode.take("all")) return vote_of_lanes<Vote::all>;
    if (opcode.take("any")) return vote_of_lanes<Vote::any>;
    return opcode.take("ballot") ? vote_of_lanes<Vote::ballot> : nullptr;
}

Step* match_step(Opcode& opcode) {
    opcode.take("sync");
    const Type type = opcode.take_type();
    if (type == Type::u32) return match_step<uint32_t>(opcode);
    return type == Type::u64 ? match_step<std::uint64_t>(opcode) : nullptr;
}

Step* reduction_step(Opcode& opcode) {
    opcode.take("sync");
    const Type type = opcode.take_type();
    const bool is_signed = type == Type::s32;
    if (!is_signed && type != Type::u32) return nullptr;
    using enum Reduction;
    if (opcode.take("add")) return is_signed ? reduce_lanes<add_signed> : reduce_lanes<add>;
    if (opcode.take("min")) return is_signed ? reduce_lanes<min_signed> : reduce_lanes<min>;
    if (opcode.take("max")) return is_signed ? reduce_lanes<max_signed> : reduce_lanes<max>;
    if (opcode.take("and")) return reduce_lanes<bit_and>;
    if (opcode.take("or")) return reduce_lanes<bit_or>;
    return opcode.take("xor") ? reduce_lanes<bit_xor> : nullptr;
}

Step* barrier_step(Opcode& opcode) {
    opcode.take("aligned");
    if (opcode.take("warp")) return opcode.take("sync") ? warp_barrier : nullptr;
    if (opcode.take("sync")) return barrier;
    if (!opcode.take("red")) return nullptr;
    opcode.take_type();
    if (opcode.take("popc")) return barrier_vote<Vote::ballot>;
    if (opcode.take("and")) return barrier_vote<Vote::all>;
    return opcode.take("or") ? barrier_vote<Vote::any> : nullptr;
}

}  // namespace

Step* clock_step(std::string_view name) {
    if (name == "%clock64" || name == "%globaltimer") return read_clock<Word>;
    return name == "%clock" ? read_clock<uint32_t> : nullptr;
}

Step* control_step(Opcode& opcode, Instruction&) {
    const std::string& name = opcode.name();
    if (name == "bra" || name == "call" || name == "ret" || name == "exit") {
        opcode.take("uni");  // all threads of a warp go the same way
        return name == "bra"    ? branch
               : name == "call" ? call
               : name == "ret"  ? leave_function
                                : leave_kernel;
    }
    if (name == "bar" || name == "barrier") return barrier_step(opcode);
    if (name == "shfl") return shuffle_step(opcode);
    if (name == "vote") return vote_step(opcode);
    if (name == "match") return match_step(opcode);
    if (name == "redux") return reduction_step(opcode);
    if (name == "activemask") return opcode.take("b32") ? active_lanes : nullptr;
    if (name == "membar" || name == "fence") {
        for (const char* scope : {"cta", "gl", "sys", "gpu", "sc", "acq_rel"}) opcode.take(scope);
        return fence;
    }
    if (name == "nanosleep") return opcode.take("u32") ? sleep : nullptr;
    return name == "trap" ? trap : nullptr;
}

}  // namespace simt::ptx
