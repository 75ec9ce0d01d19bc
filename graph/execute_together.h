// Elementwise groups that do not wait for each other, run as one launch. passes/together.cc finds
// them.
//
// A launch costs some microseconds before its first number: threads are woken up and waited for.
// An optimiser has one group for each parameter, and many parameters are a few numbers. Here the
// elements of all groups are put in one row, which the threads share:
//
//     group 0, 4,096 elements    group 1, 64   group 2, 640   ...
//     |--------- chunk 0 --------|--------- chunk 1 ---------|---
//
// The words, here and in the pass:
//   line     of a program: an op, what it reads and what it makes
//   group    a line that is elementwise or fused, so that each element is computed by itself
//   number   a group that makes one element, such as Adam's 1 - beta^t; it is computed before the
//            row begins, so the other groups of its launch may read it
//   launch   one `together` line: several groups, the lines of its body
//   part     a group made ready to run, with its place in the row
#pragma once

#include <span>
#include <vector>

#include "graph/execute_fused.h"

namespace tg {

// together(inputs) body=program -> all that the body's lines make, in order. Each line is a fused
// one, or elementwise. It reads the body's inputs, and numbers that lines before it make.
extern const Op together;

bool is_group(const Program& program, const Line& line);      // fused, or elementwise
bool makes_number(const Program& program, const Line& line);  // are its outputs of one element?

// May the launch write output `out` over its input `in`, as may_overwrite says of a line?
bool may_overwrite_together(const Line& line, int in, int out);

// The groups of a launch made ready to run on operands of certain layouts.
class TogetherGroups {
  public:
    TogetherGroups(const Program& body, std::span<const kernels::Array> in,
                   std::span<const kernels::Array> out);
    void run(std::span<const kernels::Array> in, std::span<const kernels::Array> out) const;

  private:
    struct Part {
        FusedGroup group;
        std::vector<int> operands;  // its inputs and outputs, among those of the launch
        std::int64_t begin = 0;     // where in the row its first element is
    };
    void run_part(const Part& part, char* const* data, std::int64_t begin, std::int64_t end) const;
    void run_row(char* const* data, std::int64_t begin, std::int64_t end) const;

    std::vector<Part> numbers_;  // run first, outside of the row
    std::vector<Part> parts_;    // in the order of the row
    std::int64_t row_ = 0;       // elements
};

}  // namespace tg
