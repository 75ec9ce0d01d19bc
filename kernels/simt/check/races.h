// Two accesses to one place race if they come from different threads, one of them writes and is not
// atomic together with the other, and nothing orders them: no barrier of the block, no __syncwarp
// of a warp, no release and acquire. The order in which the emulator ran them does not matter, so a
// race is found whether or not the result was wrong.
#pragma once

#include "access.h"
#include "shadow.h"

namespace simt::check {

struct Met {
    Access before;
    bool wrote = false;  // it did
};
// Notes `now` in `cell`. True if it races with what goes to `met`.
bool meet(Cell& cell, const Access& now, Way way, bool shared, Met& met);

struct Place {
    Address at;
    unsigned size;
    bool shared;
};
void report_race(const Met& met, const Access& now, Way way, const Place& place);

}  // namespace simt::check
