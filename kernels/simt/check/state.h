// Everything the checks know, in one place: what runs now, what memory holds, who touched it, and
// what was found. One launch runs at a time, so there is one State.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../observer.h"
#include "allocations.h"
#include "clocks.h"
#include "counters.h"
#include "races.h"
#include "report.h"
#include "shadow.h"
#include "sites.h"

namespace simt::check {

// Two plain writes to one place that nothing orders. Whether they wrote the same is known once the
// second has happened: at the next event.
struct PendingWrites {
    Access first, second;
    Place place = {};  // of 0 bytes: there are none
    unsigned char before[16] = {};
};

struct State {
    // The launch, its current block and thread.
    const Launch* launch = nullptr;
    std::uint32_t epoch = 1, launch_epoch = 1, block_epoch = 1;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> blocks;  // first epoch, number
    unsigned thread = 0;
    std::uint32_t who = 0;  // the thread with its clock, as accesses have it
    Address dynamic_begin = 0, dynamic_end = 0;

    Shadow shadow;
    Allocations allocations;
    Clocks clocks;
    Sites sites;
    Reports reports;
    Counters counters;
    PendingWrites pending;

    // In the launch's dynamic shared memory, or where it would be if it were larger.
    bool near_dynamic(Address at) const {
        return at >= dynamic_begin && at < std::max(dynamic_end, dynamic_begin + most_shared_bytes);
    }
    void clock_moved() { who = thread | clocks.now(thread, epoch) << 10; }
    std::uint64_t block_of(const Access& access) const;
};

// Never destroyed: kernels may run until the process ends.
extern State& state;

// The current thread's stack; 0 bytes while no kernel's code runs. Outside State because the hooks
// are called before it is there, by the constructors of static objects.
extern Address stack_begin, stack_bytes;

// While one lives, what runs on the kernel's stack is the checks themselves: the linker may have
// given them the kernels' copy of an inline function, which calls the hooks.
class Inside {
  public:
    Inside() : bytes_(stack_bytes) { stack_bytes = 0; }
    ~Inside() { stack_bytes = bytes_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    Address bytes_;
};

bool in_device_memory(Address at);

// ---- words for reports (words.cc) -------------------------------------------------------------
std::string thread_text(unsigned thread);                   // "thread (1, 0, 0)"
std::string block_text(std::uint64_t block);                // "block (0, 0, 0)"
std::string bytes_text(std::size_t bytes);                  // "1 byte", "4 bytes"
std::string allocation_text(const Allocation& allocation);  // "argument 0", "an allocation"
const char* verb(Way way);                                  // "reads"
struct Variable {
    std::string name;  // "copy", "argument 0", "an allocation", "dynamic shared memory", "memory"
    Address begin = 0;
    std::size_t bytes = 0;
};
Variable variable_at(Address at);
// "copy (bytes 4 to 7 of 256)", "argument 0 (...)", "an allocation (...)", "... memory at 0x...".
std::string variable_text(Address at, unsigned size);
std::string place_text(const Access& access);  // "a.cu:12"

}  // namespace simt::check
