// The checks as a host program sees them. It need not see them at all: what they find fails the
// launch, and simt::last_error() says it. See README.md of the folder above.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../vector_types.h"

namespace simt::check {

struct Report {
    std::string text;   // one line: what, both places, threads and blocks, and what to do
    bool note = false;  // it does not fail the launch: a race whose writers agree
};

// What was found in the latest launch.
std::vector<Report> reports();

// ---- counters ---------------------------------------------------------------------------------
// What one line of a kernel did to memory in a launch. An instruction is a warp's, and counts once
// for its up to 32 lanes.
struct LineCounts {
    std::string place;  // "a.cu:12"
    std::uint64_t instructions = 0;
    std::uint64_t lanes = 0;  // active ones, of 32 each
    std::uint64_t bytes_read = 0, bytes_written = 0;
    // Global memory: sectors of 32 bytes that were touched, and how few hold the same bytes.
    std::uint64_t sectors = 0, ideal_sectors = 0;
    // Shared memory: passes over its 32 banks, how few there could be, and the most that one
    // instruction took: 1 is without conflict.
    std::uint64_t passes = 0, ideal_passes = 0, most_passes = 0;
    // Atomic instructions, and how often their lanes had to queue for one address.
    std::uint64_t atomics = 0, atomic_passes = 0;
    std::uint64_t operations = 0;  // of lanes, with numbers of counted.h
};

// One instruction of a warp: which bytes each lane touched.
struct WarpAccess {
    std::string place, verb;       // "a.cu:12", "reads"
    std::string variable;          // "copy", "argument 0"
    bool shared = false;           // else global
    unsigned size = 0;             // bytes of a lane
    unsigned lanes = 0;            // a bit for each that is active
    std::int64_t offset[32] = {};  // of each lane's bytes in the variable
    unsigned round = 1;            // how often the warp came by
};

// The compiler announces accesses to memory only; arithmetic is counted by the numbers of
// counted.h.
struct LaunchCounts {
    dim3 grid, block;
    std::uint64_t bytes_read = 0, bytes_written = 0;  // as threads asked for them
    std::uint64_t sectors = 0;                        // of global memory that were touched
    std::uint64_t operations = 0;
    std::vector<LineCounts> lines;  // ordered by place
    bool cut = false;  // a loop without barriers was too long: its first rounds are counted
    // By warp 0 of block 0, in its order: the first 8 rounds of each instruction, at most 64.
    std::vector<WarpAccess> accesses;

    // Operations for each byte of the sectors, as if there were no cache.
    double intensity() const {
        return sectors == 0 ? 0
                            : static_cast<double>(operations) / static_cast<double>(32 * sectors);
    }
};

// Off at first, unless SIMT_COUNTERS is in the environment: "text" or "json" prints the counts of
// every launch to stderr; or SIMT_ACCESSES: "name.svg" draws the first 100 launches, into
// name.1.svg and so on.
void count(bool on);
LaunchCounts counts();  // of the latest launch while counting was on
std::string text(const LaunchCounts& counts);
std::string json(const LaunchCounts& counts);
std::string svg(const LaunchCounts& counts);  // a picture of `accesses`

}  // namespace simt::check
