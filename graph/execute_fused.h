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

// Could it be a line of a group? There is no CUDA kernel for groups.
bool is_fusable(const Program& program, const Line& line);

// May a line whose op is elementwise, a cast or fused write output `out` over its input `in`? Both
// are contiguous, of one dtype and shape.
bool may_overwrite(const Line& line, int in, int out);

// A body made ready to run on operands of certain layouts; each run says where they lie. Its values
// are numbered places: a place is memory that is walked through (an input or an output), or a slot
// of the scratch space, or a number.
class FusedGroup {
  public:
    // in and out as the kernel of `fused` gets them; out contiguous. Their addresses do not count.
    FusedGroup(const Program& body, std::span<const kernels::Array> in,
               std::span<const kernels::Array> out);
    FusedGroup(FusedGroup&&) = default;  // a copy's places would point at the other's numbers
    void run(std::span<const kernels::Array> in, std::span<const kernels::Array> out) const;

    std::int64_t size() const { return size_; }  // elements of each output
    // Elements begin .. end, on this thread; data: where the inputs lie, then the outputs.
    void run_part(char* const* data, std::int64_t begin, std::int64_t end) const;

  private:
    struct Step {
        kernels::cpu::Block block = nullptr;
        int operands = 0;
        int in[3] = {};  // places
        int out = 0;
    };
    struct Place {
        char* data = nullptr;   // of a number; else run_part says
        std::int64_t walk = 0;  // bytes an element; 0: the same for every block
        int step = 1;           // 0: one element, repeated
    };
    static constexpr int most_places = most_group_inputs + 4 * most_group_lines;

    void add_step(const Program& body, const Line& line);
    void give_slots(const Program& body);
    void lay_out(std::span<const kernels::Array> in, std::span<const kernels::Array> out);

    int inputs_ = 0;
    int values_ = 0;
    int slots_ = 0;           // of scratch, for the values that stay inside
    std::int64_t width_ = 1;  // bytes of the widest element
    std::int64_t size_ = 0;
    std::int64_t block_ = 0;  // elements
    std::vector<Step> steps_;
    std::vector<Place> places_;  // first the body's values, then the numbers in its lines
    std::vector<int> slot_of_;   // by value; -1: an input or an output
    std::vector<int> outputs_;   // values
    std::vector<kernels::Array> gathered_;  // inputs that lie neither in order nor on one spot,
    std::vector<int> gathered_as_;          // and whose places they fill, block by block
    std::vector<std::uint64_t> numbers_;
};

}  // namespace tg
