// What a plan decides once, so that a run need not: where each value lies, and what is launched.
// plan_layout.cc makes it, in the order of the functions there; plan.cc runs it.
#pragma once

#include <string>
#include <vector>

#include "graph/execute.h"

namespace tg {

// A contiguous run of bytes that one step fills, or that the caller gave. A view has none.
struct Room {
    enum Kind : std::uint8_t {
        input,   // the caller's
        arena,   // between the lines: its bytes are another value's as soon as it is dead
        output,  // the result's own storage
        held,    // a value that no input changes: computed once, kept with the plan
    } kind = arena;
    int index = 0;  // of the input, output or held tensor
    Desc desc;
    int first = -1;           // the step that fills it
    int last = -1;            // the last step that needs it
    int within = -1;          // the room whose bytes it writes over, or -1
    std::int64_t offset = 0;  // in the arena of its device

    std::int64_t bytes() const { return element_count(desc.shape) * size_of(desc.dtype); }
};

// A value: a way to look at a room.
struct Spot {
    int room = -1;  // -1: a number
    Layout layout;
    DType dtype = DType::float32;
    Scalar number;
};

// One call of a kernel.
struct PlanStep {
    const Line* line = nullptr;  // null: a copy
    Inline<Spot, 2> in;
    Inline<int, 1> out;  // rooms, filled in order
    Device device = Device::cpu;
};

struct PlanLayout {
    std::vector<Room> rooms;   // the inputs' first
    std::vector<Spot> values;  // by the program's numbers
    std::vector<PlanStep> steps;
    std::vector<int> outputs;  // rooms
    std::vector<Tensor> held;
    std::int64_t arena_bytes[2] = {};  // by device
    std::int64_t value_bytes = 0;      // the arenas', were no room reused
};

PlanLayout lay_out(const Program& program);
std::string text(const Program& program, const PlanLayout& plan);

}  // namespace tg
