// A group of elementwise lines that runs as one. passes/fuse.cc makes the groups.
//
// Line by line, z = exp(x * y) + b writes x * y to memory, reads it, writes exp of it, and so on:
// memory is all that it waits for. A group goes over its lines once for each *block* of elements
// instead. A block's values between the lines lie in a scratch space that stays in the L1 cache,
// and each line is the very loop over a block that it would run alone: so the bits are the same.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/program.h"
#include "kernels/cpu/cpu.h"

namespace tg {

// fused(inputs) body=program -> the body's outputs, all of one shape, to which inputs broadcast.
extern const Op fused;

// The scratch space has room for one block of 64 elements of each.
constexpr int most_group_lines = 32;
constexpr int most_group_inputs = 16;

// The loop over a block that runs a line; null if the line is not elementwise, or has none.
kernels::cpu::Block block_of(const Program& program, const Line& line);

// May a line whose op is elementwise, a cast or fused write output `out` over its input `in`? Both
// are contiguous, of one dtype and shape.
bool may_overwrite(const Line& line, int in, int out);

// A body made ready to run. Its values are numbered places: a place is memory that is walked
// through (an input or an output), or a slot of the scratch space, or a number.
class FusedGroup {
  public:
    explicit FusedGroup(const Program& body);
    // in and out as the kernel of `fused` gets them; out contiguous.
    void run(std::span<const kernels::Array> in, std::span<const kernels::Array> out) const;

  private:
    struct Step {
        kernels::cpu::Block block = nullptr;
        int operands = 0;
        int in[3] = {};  // places
        int out = 0;
    };
    struct Place {
        char* data;
        std::int64_t walk;  // bytes an element; 0: the same for every block
        int step;           // 0: one element, repeated
    };
    static constexpr int most_places = most_group_inputs + 4 * most_group_lines;
    struct Setting;  // the places of one launch

    void set(std::span<const kernels::Array> in, std::span<const kernels::Array> out,
             Setting& setting) const;
    void run_chunk(const Setting& setting, std::int64_t begin, std::int64_t end) const;

    int inputs_ = 0;
    int values_ = 0;
    int slots_ = 0;           // of scratch, for the values that stay inside
    std::int64_t width_ = 1;  // bytes of the widest element
    std::vector<Step> steps_;
    std::vector<int> slot_of_;  // by value; -1: an input or an output
    std::vector<int> outputs_;  // values
    std::vector<std::uint64_t> numbers_;
};

}  // namespace tg
