// A launch from its request to its error: what is refused, the blocks one after another, and what
// is left of it. Read next: block.cc, how the threads of a block take turns.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "faults.h"
#include "host.h"
#include "machine.h"
#include "observer.h"
#include "watchdog.h"

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace simt {

Machine& machine = *new Machine;
const Observer* observer = nullptr;
void (*instead_of_run)(const Launch& launch) = nullptr;

namespace {

// What SIMT_SCHEDULE and SIMT_TIME_LIMIT ask for when the program starts; later calls change it.
std::string read_environment() {
    if (const char* wish = std::getenv("SIMT_SCHEDULE"))
        if (!read_schedule(wish, machine.order.schedule, machine.order.seed))
            return std::string("launch: SIMT_SCHEDULE is \"") + wish +
                   "\", not forward, reverse, random or random:SEED";
    if (const char* wish = std::getenv("SIMT_TIME_LIMIT")) {
        char* end = nullptr;
        const double seconds = std::strtod(wish, &end);
        if (end == wish || *end != '\0' || !(seconds >= 0))
            return std::string("launch: SIMT_TIME_LIMIT is \"") + wish +
                   "\", not a number of seconds";
        set_time_limit(seconds);
    }
    return "";
}

const std::string& environment_error = *new std::string(read_environment());

// True while this OS thread runs a launch.
thread_local bool launching = false;
thread_local std::string first_error;
thread_local std::string last_read_error;

std::atomic<bool (*)()> asked_to_stop{nullptr};

uint3 block_index(std::uint64_t block) {
    if (block < gridDim.x) return {static_cast<unsigned>(block), 0, 0};
    const std::uint64_t row = block / gridDim.x;
    return {static_cast<unsigned>(block % gridDim.x), static_cast<unsigned>(row % gridDim.y),
            static_cast<unsigned>(row / gridDim.y)};
}

void run_grid() {
    const std::uint64_t blocks = std::uint64_t{gridDim.x} * gridDim.y * gridDim.z;
    machine.order.begin_launch(blocks);
    for (std::uint64_t i = 0; i < blocks && !machine.failed; ++i) {
        const std::uint64_t block = machine.order.block(i, blocks);
        blockIdx = block_index(block);
        if (observer) observer->block_begins(block);
        run_block();
        if (observer) observer->block_ends(block);
        if (!machine.failed && asks_to_stop()) return;
    }
}

// ---- before a launch --------------------------------------------------------------------------
std::string too_large(const char* what, dim3 given, dim3 limit) {
    if (given.x == 0 || given.y == 0 || given.z == 0)
        return std::string("launch: ") + what + " " + text(given) + " has a dim of 0";
    if (given.x <= limit.x && given.y <= limit.y && given.z <= limit.z) return "";
    return std::string("launch: ") + what + " " + text(given) + " exceeds " + text(limit);
}

// What allow_shared_bytes() said.
std::map<const void*, std::size_t>& shared_limits() {
    static auto& only = *new std::map<const void*, std::size_t>;
    return only;
}

std::string too_much_shared(const Launch& launch) {
    const std::size_t declared = observer ? observer->declared_shared(launch.kernel) : 0;
    const auto arrays = [&] { return std::to_string(declared) + " bytes of __shared__ arrays"; };
    if (declared > most_shared_bytes)
        return "launch: " + arrays() + ", but a kernel declares at most " +
               std::to_string(most_shared_bytes) +
               "; more of it is dynamic: extern __shared__, and allow_shared_bytes()";
    const auto raised = shared_limits().find(launch.kernel);
    const std::size_t limit = raised == shared_limits().end()
                                  ? most_shared_bytes - declared
                                  : std::min(raised->second, largest_shared_bytes - declared);
    if (launch.shared_bytes <= limit) return "";
    return "launch: " + std::to_string(launch.shared_bytes) +
           " bytes of dynamic shared memory, but a block has at most " + std::to_string(limit) +
           (declared ? " beside " + arrays() : "") + "; allow_shared_bytes() raises it up to " +
           std::to_string(largest_shared_bytes - declared);
}

std::string bad_pointer(const Launch& launch) {
    int index = 0;
    for (const Argument& argument : launch.arguments) {
        const void* pointer = argument.pointer();
        std::string fault = pointer ? device_memory_fault(pointer, 0) : "";
        if (!fault.empty()) return "launch: argument " + std::to_string(index) + " is " + fault;
        ++index;
    }
    return "";
}

std::string refusal(const Launch& launch) {
    if (!environment_error.empty()) return environment_error;
    if (auto error = too_large("block", launch.block, largest_block); !error.empty()) return error;
    if (auto error = too_large("grid", launch.grid, largest_grid); !error.empty()) return error;
    const unsigned threads = launch.block.x * launch.block.y * launch.block.z;
    if (threads > most_threads)
        return "launch: block " + text(launch.block) + " has " + std::to_string(threads) +
               " threads, but a block holds at most " + std::to_string(most_threads);
    if (auto error = too_much_shared(launch); !error.empty()) return error;
    return bad_pointer(launch);
}

void run_watched(const Launch& launch) {
    machine.launch = &launch;
    machine.threads = launch.block.x * launch.block.y * launch.block.z;
    gridDim = launch.grid;
    blockDim = launch.block;
    watch_launch();
    catch_faults();
    if (observer) observer->launch_begins(launch);
    try {
        run_grid();
    } catch (const std::bad_alloc&) {
        machine.failed = true;
        machine.error = "launch: no memory for the stacks of block " + text(launch.block);
    }
    if (std::string fault = fault_text(); !fault.empty()) machine.error = std::move(fault);
    if (machine.failed && !machine.stopped && machine.error.empty()) machine.error = overdue_text();
    if (observer) observer->launch_ends(launch, machine.error);
    watch_launch_end();
}

}  // namespace

void run(const Launch& launch) {
    if (const auto instead = std::exchange(instead_of_run, nullptr)) {
        instead(launch);
        instead_of_run = instead;
        return;
    }
    if (launching)
        return set_error("launch: called inside a kernel, which the emulator does not support");
    const std::lock_guard lock(machine.busy);
    if (std::string error = refusal(launch); !error.empty()) return set_error(std::move(error));
    launching = true;
    run_watched(launch);
    launching = false;
    machine.launch = nullptr;
    if (!machine.failed) return;
    // Threads that the error left where they wait never go on. Their locals are not destroyed, as
    // on a GPU.
    forget_threads();
    machine.failed = machine.stopped = false;
    machine.interrupted = nullptr;
    if (!machine.error.empty()) set_error(std::exchange(machine.error, ""));
}

void allow_shared_bytes(const void* kernel, std::size_t bytes) {
    if (bytes > largest_shared_bytes)
        return set_error("allow_shared_bytes: " + std::to_string(bytes) +
                         " bytes, but no GPU has more than " +
                         std::to_string(largest_shared_bytes) + " for a block");
    const std::lock_guard lock(machine.busy);
    shared_limits()[kernel] = bytes;
}

void set_schedule(Schedule schedule, std::uint64_t seed) {
    machine.order.schedule = schedule;
    machine.order.seed = seed;
    machine.order.launches = 0;
}

bool asks_to_stop() {
    const auto asked = asked_to_stop.load(std::memory_order_relaxed);
    return asked && asked();
}

void stop_when(bool (*asked)()) { asked_to_stop = asked; }

void* dynamic_shared() { return machine.shared; }

const char* last_error() {
    last_read_error = std::exchange(first_error, "");
    return last_read_error.c_str();
}

void set_error(std::string text) {
    if (first_error.empty()) first_error = std::move(text);
}

// ---- for observers ----------------------------------------------------------------------------
bool in_kernel() { return launching && machine.running != nullptr; }

unsigned current_thread() { return machine.running->thread; }

std::uint64_t current_block() {
    const std::uint64_t row = std::uint64_t{blockIdx.z} * gridDim.y + blockIdx.y;
    return row * gridDim.x + blockIdx.x;
}

Range current_stack() {
    const Fiber& fiber = machine.running->fiber;
    return {fiber.stack_begin(), fiber.stack_end()};
}

Range current_dynamic_shared() {
    const char* begin = reinterpret_cast<const char*>(machine.shared);
    return {begin, begin + machine.launch->shared_bytes};
}

void end_launch(std::string error) {
    machine.failed = true;
    std::string().swap(machine.error);  // what is left in `error` is never freed: leave it nothing
    machine.error.swap(error);
    leave();
}

std::vector<Waiting> waiting_threads() {
    std::vector<Waiting> all;
    for (const auto& worker : machine.workers) {
        const Wait& wait = worker->wait;
        if (wait.operation && worker.get() != machine.running)
            all.push_back({worker->thread, wait.operation, wait.mask, wait.file, wait.line});
    }
    std::sort(all.begin(), all.end(),
              [](const Waiting& a, const Waiting& b) { return a.thread < b.thread; });
    return all;
}

}  // namespace simt
