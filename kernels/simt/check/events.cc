// What the emulator tells the checks: see observer.h of the folder above. To be linked is to be on.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <new>

#include "module.h"
#include "state.h"

namespace simt::check {

alignas(State) static std::byte room[sizeof(State)];
State& state = reinterpret_cast<State&>(room);
Address stack_begin = 0, stack_bytes = 0;

namespace {

Address address_of(const void* pointer) { return reinterpret_cast<Address>(pointer); }

// After 4 billion barriers and blocks the count starts again, and what was remembered goes.
void next_epoch() {
    constexpr std::uint32_t last = 0xffffff00u;
    if (state.epoch >= last && state.epoch == state.block_epoch) {
        state.shadow.forget_accesses();
        state.epoch = 0;
    }
    ++state.epoch;
}

std::size_t declared_shared(const void* kernel) {
    static auto& known = *new std::map<const void*, std::size_t>;
    const auto [entry, is_new] = known.try_emplace(kernel, 0);
    if (!is_new) return entry->second;
    const Module* module = module_of(address_of(kernel));
    const Symbol* function = module ? module->symbol(address_of(kernel)) : nullptr;
    return entry->second = function ? module->shared_bytes(*function) : 0;
}

void launch_begins(const Launch& launch) {
    state.launch = &launch;
    state.reports.launch_begins();
    state.clocks.launch_begins();
    state.counters.launch_begins();
    state.blocks.clear();
    state.launch_epoch = state.epoch + 1;
    const Range dynamic = current_dynamic_shared();
    state.dynamic_begin = address_of(dynamic.begin);
    state.dynamic_end = address_of(dynamic.end);
}

constexpr unsigned most_pictures = 100;

// What SIMT_ACCESSES names: each launch's picture goes into a file of its own.
void draw(const char* name) {
    static unsigned number = 0;
    if (number == most_pictures) return;
    std::string file = name;
    const std::size_t dot = file.rfind('.');
    file.insert(
        dot == std::string::npos || file.find('/', dot) != std::string::npos ? file.size() : dot,
        "." + std::to_string(++number));
    std::ofstream out(file);
    out << svg(counts());
    if (!out.flush()) std::fprintf(stderr, "SIMT_ACCESSES: cannot write \"%s\"\n", file.c_str());
}

// What SIMT_COUNTERS asks for: 0, or the first letter of text or json.
char counters_wish() {
    const char* wish = std::getenv("SIMT_COUNTERS");
    if (wish == nullptr || *wish == '\0') return 0;
    if (std::strcmp(wish, "text") == 0 || std::strcmp(wish, "json") == 0) return *wish;
    std::fprintf(stderr, "SIMT_COUNTERS is \"%s\", not text or json\n", wish);
    return 0;
}
char wished() {
    static const char wish = counters_wish();
    return wish;
}

void show_counts() {
    static const char* const picture = std::getenv("SIMT_ACCESSES");
    state.counters.launch_ends();
    if (picture) draw(picture);
    if (wished() == 0) return;
    const std::string shown = wished() == 't' ? text(counts()) : json(counts()) + "\n";
    std::fputs(shown.c_str(), stderr);
}

void launch_ends(const Launch&, const std::string& error) {
    stack_bytes = 0;
    settle_pending();
    if (std::string errors = state.reports.errors(); !errors.empty())
        set_error(error.empty() || error == errors ? errors : error + "\n" + errors);
    if (state.counters.on) show_counts();
    state.launch = nullptr;
}

void block_begins(std::uint64_t block) {
    next_epoch();
    state.block_epoch = state.epoch;
    state.launch_epoch = std::min(state.launch_epoch, state.epoch);
    state.blocks.push_back({state.epoch, block});
    state.clocks.block_begins(state.epoch);
}

void block_ends(std::uint64_t) {
    settle_pending();
    if (state.counters.on) state.counters.part_ends();
    stack_bytes = 0;
}

void thread_goes_on(unsigned thread) {
    settle_pending();
    const Range stack = current_stack();
    state.thread = thread;
    stack_begin = address_of(stack.begin);
    stack_bytes = static_cast<Address>(stack.end - stack.begin);
    state.clock_moved();
}

void thread_ends(unsigned) {
    settle_pending();
    stack_bytes = 0;
}

void barrier_passed() {
    settle_pending();
    if (state.counters.on) state.counters.part_ends();
    ++state.epoch;
}

void warp_synchronised(unsigned warp, unsigned mask) {
    settle_pending();
    const Inside inside;
    state.clocks.warp_meets(warp, mask, state.epoch);
    state.clock_moved();
}

void atomic(const void* address, std::size_t bytes, const void* code) {
    access(address_of(address), static_cast<unsigned>(bytes), Way::atomic, true, address_of(code));
    const Inside inside;
    state.clocks.atomic(state.thread, state.epoch, address_of(address));
}

void computed(unsigned operations, const void* code, const void* changed, std::size_t bytes) {
    if (stack_bytes == 0) return;  // the host may compute with such numbers
    const Address at = address_of(changed);
    if (changed && at - stack_begin >= stack_bytes) {
        access(at, static_cast<unsigned>(bytes), Way::read, true, address_of(code));
        access(at, static_cast<unsigned>(bytes), Way::write, true, address_of(code));
    }
    const Inside inside;
    if (state.counters.on) state.counters.compute(operations, state.sites.number(address_of(code)));
}

void fence(Observer::Scope scope) {
    const Inside inside;
    state.clocks.fence(state.thread, state.epoch, scope != Observer::Scope::block);
    state.clock_moved();
}

void allocated(const void* memory, std::size_t bytes) {
    state.allocations.add(address_of(memory), bytes);
    state.shadow.allocated(address_of(memory), bytes);
}

void released(const void* memory, std::size_t bytes) {
    state.allocations.remove(address_of(memory));
    state.shadow.released(address_of(memory), bytes);
}

void copied_to_device(const void* to, std::size_t bytes) {
    state.shadow.written(address_of(to), bytes);
}

constexpr Observer events = {
    .declared_shared = declared_shared,
    .launch_begins = launch_begins,
    .launch_ends = launch_ends,
    .block_begins = block_begins,
    .block_ends = block_ends,
    .thread_begins = thread_goes_on,
    .thread_ends = thread_ends,
    .thread_resumed = thread_goes_on,
    .barrier_passed = barrier_passed,
    .warp_synchronised = warp_synchronised,
    .atomic = atomic,
    .computed = computed,
    .fence = fence,
    .allocated = allocated,
    .released = released,
    .copied_to_device = copied_to_device,
};

// Before other static objects, whose constructors may allocate or launch.
struct Watching {
    Watching() {
        new (&state) State;
        observer = &events;
        state.counters.on = wished() != 0 || std::getenv("SIMT_ACCESSES") != nullptr;
    }
};
[[gnu::init_priority(101)]] Watching watching;

}  // namespace

std::uint64_t State::block_of(const Access& access) const {
    const auto next =
        std::upper_bound(blocks.begin(), blocks.end(), access.epoch,
                         [](std::uint32_t when, const auto& block) { return when < block.first; });
    return next == blocks.begin() ? 0 : std::prev(next)->second;
}

bool in_device_memory(Address at) {
    return device_memory_fault(reinterpret_cast<const void*>(at), 0) != "host memory";
}

void count(bool on) { state.counters.on = on; }

LaunchCounts counts() { return state.counters.counts; }

std::vector<Report> reports() { return state.reports.found(); }

}  // namespace simt::check
