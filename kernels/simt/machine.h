// The state of the one launch that runs, for the files of this folder and for gdb; neither kernels
// nor hosts include it. launch.cc begins and ends a launch, block.cc lets threads take turns,
// warp.cc lets lanes meet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "fiber.h"
#include "host.h"
#include "schedule.h"
#include "vector_types.h"
#include "warp.h"

// What kernels see as constants (simt.h), and only these files change.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;

namespace simt {

constexpr unsigned warp_lanes = 32;
constexpr unsigned turns_between_polls = 1024;
constexpr unsigned most_warps = most_threads / warp_lanes;

// What a thread waits in, and where. `operation` is null if it does not wait; `mask` is 0 at a
// barrier of the block and in __activemask.
struct Wait {
    const char* operation = nullptr;
    const char* file = "";
    int line = 0;
    unsigned mask = 0;
};

// What the lanes of a warp do when they have met.
enum class Kind { sync, shuffle, ballot, match_any, match_all, reduce, active };

struct WarpCall {
    Kind kind = Kind::sync;
    Reduction reduction = Reduction::add;
    unsigned bytes = 4;   // of a value
    unsigned source = 0;  // the lane that a shuffle reads
    std::uint64_t value = 0;
    std::uint64_t result = 0;
};

// A fiber that runs CUDA threads.
struct Worker {
    Worker();

    Fiber fiber;
    unsigned thread = 0;  // the CUDA thread that it runs: its number in the block, x fastest,
    uint3 index = {};     // and its threadIdx
    Wait wait;
    WarpCall call;
};

// Lanes of one warp that have passed the same mask, until all of it are there.
struct Meeting {
    unsigned mask = 0;
    unsigned arrived = 0;
    Worker* first = nullptr;
};

// Workers whose threads may go on: at most one for each thread of a block.
struct Queue {
    Worker* at[most_threads];
    unsigned first = 0, count = 0;

    Worker*& operator[](unsigned i) { return at[(first + i) % most_threads]; }
    void push(Worker* worker) { (*this)[count++] = worker; }
    // The one that has waited longest, or under the random schedule any.
    Worker* pop(Order& order) {
        if (order.schedule == Schedule::random) std::swap((*this)[0], (*this)[order.below(count)]);
        Worker* worker = at[first];
        first = (first + 1) % most_threads;
        --count;
        return worker;
    }
};

struct Machine {
    std::mutex busy;
    const Launch* launch = nullptr;  // null while none runs
    unsigned threads = 0;            // of a block
    unsigned started = 0;            // how many of this block have begun
    uint3 next = {};                 // the index of the next one, where they begin in order
    unsigned at_barrier = 0;
    unsigned votes = 0;          // of those at the barrier, how many said yes,
    unsigned votes_counted = 0;  // and at the barrier that was passed last
    bool barriers_differ = false;
    Wait first_at_barrier;
    unsigned unfinished = 0;  // workers whose threads wait or may go on
    bool yielded = false;     // the last thread to stop asks for others to be started
    Worker* running = nullptr;
    unsigned atomics = 0;  // of all launches
    Order order;
    unsigned turns = 0;             // of all launches
    bool failed = false;            // nobody may go on: for `error`, or because
    bool stopped = false;           // the host asked for it, or the time was over,
    Worker* interrupted = nullptr;  // with this one still running
    std::string error;              // why this launch has to end

    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<Worker*> idle;
    Queue ready;
    Worker* parked[most_threads] = {};  // by thread: who waits and may not go on yet
    std::vector<Meeting> meetings[most_warps];
    alignas(16) std::byte shared[largest_shared_bytes];
};

// Never destroyed: another static's destructor may still launch.
extern Machine& machine;

// Compilers may keep one name of a file twice.
inline bool same_place(const char* file, int line, const char* other_file, int other_line) {
    return line == other_line && (file == other_file || std::strcmp(file, other_file) == 0);
}
inline bool same_place(const Wait& a, const Wait& b) {
    return same_place(a.file, a.line, b.file, b.line);
}

// ---- block.cc ---------------------------------------------------------------------------------
void run_block();
void forget_threads();  // after a failure: every worker is idle, nobody waits
void make_ready(Worker& parked);
void give_way(const char* operation);  // the running thread lets the others go on first
uint3 index_of(unsigned thread);

// The running thread stops until somebody makes it ready.
[[gnu::always_inline]] inline void park(const char* operation, const char* file, int line,
                                        unsigned mask) {
    Worker& worker = *machine.running;
    worker.wait.operation = operation;
    worker.wait.file = file;
    worker.wait.line = line;
    worker.wait.mask = mask;
    machine.parked[worker.thread] = &worker;
    ++machine.unfinished;
    worker.fiber.suspend();
}

[[noreturn]] void leave();  // the running thread, of a launch that failed: it never goes on

// ---- warp.cc ----------------------------------------------------------------------------------
// When nobody can run: lets lanes go on whose missing partners have returned, or that asked who is
// active. False if there are none.
bool settle_warps();

// ---- launch.cc --------------------------------------------------------------------------------
bool asks_to_stop();  // what stop_when() was given

// ---- report.cc --------------------------------------------------------------------------------
std::string text(uint3 index);
std::string text(dim3 size);
std::string place(const Wait& wait);   // "sum.cu:12"
std::string who(unsigned thread);      // "thread (3, 0, 0) of block (1, 0, 0)"
std::string mask_text(unsigned mask);  // "0x0000ffff"
std::string stuck();                   // why nobody can go on, who waits where

}  // namespace simt
