// In which order blocks and threads take turns.
#pragma once

#include <cstdint>

#include "host.h"

namespace simt {

struct Order {
    Schedule schedule = Schedule::forward;
    std::uint64_t seed = 1;
    std::uint64_t launches = 0;                // since the seed was set
    std::uint64_t state = 0;                   // of the random numbers
    std::uint16_t threads[most_threads] = {};  // of the block, in the order in which they begin
    std::uint64_t factor = 1, shift = 0;       // of the random order of blocks

    void begin_launch(std::uint64_t blocks);
    void begin_block(unsigned count);
    std::uint64_t block(std::uint64_t i, std::uint64_t blocks) const;  // the i-th to begin
    unsigned thread(unsigned i) const { return schedule == Schedule::forward ? i : threads[i]; }

    std::uint64_t random();
    unsigned below(unsigned limit) { return static_cast<unsigned>(random() % limit); }
    bool coin() { return schedule == Schedule::random && random() % 2 == 0; }
};

// What SIMT_SCHEDULE asks for; false if it cannot be understood.
bool read_schedule(const char* text, Schedule& schedule, std::uint64_t& seed);

}  // namespace simt
