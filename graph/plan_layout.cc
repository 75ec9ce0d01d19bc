// Planning in five steps, each a function; `lay_out` at the end calls them in order.
//
//   place_lines      each value is a room of its own, or a view of one; what is left are kernels
//   place_outputs    results get storages that the caller keeps
//   find_lifetimes   from the step that fills a room to the last that reads it
//   write_over       y = exp(x) may be written over x where nobody needs x again
//   place_rooms      rooms whose lifetimes do not meet get the same bytes
#include "graph/plan_layout.h"

#include <algorithm>

#include "core/apply.h"
#include "core/ops/structural.h"
#include "graph/execute_together.h"
#include "graph/plan_arena.h"

namespace tg {
namespace {

Room& room_at(PlanLayout& plan, int room) { return plan.rooms[static_cast<std::size_t>(room)]; }
Spot& spot_at(PlanLayout& plan, int value) { return plan.values[static_cast<std::size_t>(value)]; }

int new_room(PlanLayout& plan, Room::Kind kind, int index, const Desc& desc) {
    plan.rooms.push_back({kind, index, desc, -1, -1, -1, 0});
    return static_cast<int>(plan.rooms.size()) - 1;
}

Spot whole(const PlanLayout& plan, int room) {
    const Desc& desc = plan.rooms[static_cast<std::size_t>(room)].desc;
    return {room, Layout::contiguous(desc.shape), desc.dtype, {}};
}

bool is_whole(PlanLayout& plan, const Spot& spot) {
    return spot.layout.offset == 0 && spot.layout.is_contiguous() &&
           element_count(spot.layout.shape) == element_count(room_at(plan, spot.room).desc.shape);
}

// A step that puts a view's elements in order, in a room of their own.
int copy_of(PlanLayout& plan, const Spot& spot, Room::Kind kind, int index) {
    const Device device = room_at(plan, spot.room).desc.device;
    const int copy = new_room(plan, kind, index, {spot.layout.shape, spot.dtype, device});
    PlanStep& step = plan.steps.emplace_back();
    step.in.push_back(spot);
    step.out.push_back(copy);
    step.device = device;
    return copy;
}

// ---- 1. the lines ------------------------------------------------------------------------------

void place_alias(PlanLayout& plan, const Line& line) {
    for (int k = 1; k < line.out.size(); ++k)  // of `function`: each output is an input
        spot_at(plan, line.out[k]) = spot_at(plan, line.in[k].value);
    Spot spot = spot_at(plan, line.in[0].value);
    if (line.op->view) {
        Layout layout;
        if (!line.op->view(spot.layout, line.attrs, layout)) {
            spot = whole(plan, copy_of(plan, spot, Room::arena, 0));
            line.op->view(spot.layout, line.attrs, layout);
        }
        spot.layout = layout;
    }
    spot_at(plan, line.out[0]) = spot;
}

bool always_the_same(const Line& line) {
    const Op& op = *line.op;
    return line.in.empty() && op.folds && !op.random && !op.reads_state && !op.writes_state;
}

// Runs the line now.
void hold(PlanLayout& plan, const Program& program, const Line& line) {
    std::vector<kernels::Array> out;
    for (int value : line.out) {
        const Desc& desc = program.values[static_cast<std::size_t>(value)];
        const int room = new_room(plan, Room::held, static_cast<int>(plan.held.size()), desc);
        spot_at(plan, value) = whole(plan, room);
        plan.held.push_back(tensor_of(allocate(desc.shape, desc.dtype, desc.device),
                                      Layout::contiguous(desc.shape)));
        out.push_back(array_of(plan.held.back()));
    }
    run_kernel(*line.op, line.attrs, {}, out,
               program.values[static_cast<std::size_t>(line.out[0])].device);
}

void place_step(PlanLayout& plan, const Program& program, const Line& line) {
    PlanStep step;
    step.line = &line;
    for (int i = 0; i < line.in.size(); ++i) {
        const Operand& operand = line.in[i];
        if (operand.value >= 0)
            step.in.push_back(spot_at(plan, operand.value));
        else
            step.in.push_back(Spot{-1, {}, program.operand_desc(line, i).dtype, operand.scalar});
    }
    for (int value : line.out) {
        const Desc& desc = program.values[static_cast<std::size_t>(value)];
        step.out.push_back(new_room(plan, Room::arena, 0, desc));
        spot_at(plan, value) = whole(plan, step.out.back());
        step.device = desc.device;
    }
    plan.steps.push_back(std::move(step));
}

void place_lines(PlanLayout& plan, const Program& program) {
    plan.values.resize(program.values.size());
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
        const int number = static_cast<int>(i);
        spot_at(plan, number) = whole(plan, new_room(plan, Room::input, number, program.values[i]));
    }
    for (const Line& line : program.lines) {
        if (line.op->alias || line.op->view)
            place_alias(plan, line);
        else if (always_the_same(line))
            hold(plan, program, line);
        else
            place_step(plan, program, line);
    }
}

// ---- 2. the outputs ----------------------------------------------------------------------------

// A value that is a whole room becomes the output by itself; an input, a part of a value, or what
// is returned twice is copied.
void place_outputs(PlanLayout& plan, const Program& program) {
    for (std::size_t k = 0; k < program.outputs.size(); ++k) {
        const int index = static_cast<int>(k);
        const Spot spot = spot_at(plan, program.outputs[k]);
        Room& room = room_at(plan, spot.room);
        if (room.kind == Room::arena && is_whole(plan, spot)) {
            room.kind = Room::output;
            room.index = index;
            plan.outputs.push_back(spot.room);
        } else {
            plan.outputs.push_back(copy_of(plan, spot, Room::output, index));
        }
    }
}

// ---- 3. lifetimes ------------------------------------------------------------------------------

void find_lifetimes(PlanLayout& plan) {
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
        const int now = static_cast<int>(s);
        for (int room : plan.steps[s].out)
            room_at(plan, room).first = room_at(plan, room).last = now;
        for (const Spot& spot : plan.steps[s].in)
            if (spot.room >= 0) room_at(plan, spot.room).last = now;
    }
}

// ---- 4. writing over ---------------------------------------------------------------------------

// May step s write its output k over its input i?
bool can_write_over(PlanLayout& plan, int s, int i, int k) {
    const PlanStep& step = plan.steps[static_cast<std::size_t>(s)];
    const Room& out = room_at(plan, step.out[k]);
    const int room = step.in[i].room;
    if (room < 0 || out.kind != Room::arena) return false;
    const Room& in = room_at(plan, room);
    if (in.kind != Room::arena || in.last != s || in.desc != out.desc) return false;
    for (int j = 0; j < step.in.size(); ++j) {  // x + x.t() needs x where it was
        if (step.in[j].room != room) continue;
        if (step.in[j].layout != Layout::contiguous(out.desc.shape)) return false;
        const bool may = step.line->op == &together ? may_overwrite_together(*step.line, j, k)
                                                    : may_overwrite(*step.line, j, k);
        if (!may) return false;
    }
    return true;
}

void write_over(PlanLayout& plan) {
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
        const PlanStep& step = plan.steps[s];
        if (!step.line) continue;
        std::vector<int> taken;
        for (int k = 0; k < step.out.size(); ++k) {
            for (int i = 0; i < step.in.size(); ++i) {
                const int room = step.in[i].room;
                const bool is_taken = std::find(taken.begin(), taken.end(), room) != taken.end();
                if (is_taken || !can_write_over(plan, static_cast<int>(s), i, k)) continue;
                room_at(plan, step.out[k]).within = room;
                taken.push_back(room);
                break;
            }
        }
    }
}

// ---- 5. the arena ------------------------------------------------------------------------------

void place_rooms(PlanLayout& plan) {
    Arena arenas[2];
    const auto arena_of = [&](const Room& room) -> Arena& {
        return arenas[static_cast<int>(room.desc.device)];
    };
    std::vector<char> passed_on(plan.rooms.size(), 0);  // another value lives on in these bytes
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
        const PlanStep& step = plan.steps[s];
        for (int number : step.out) {
            Room& room = room_at(plan, number);
            if (room.kind != Room::arena) continue;
            plan.value_bytes += aligned(room.bytes());
            if (room.within >= 0) {
                room.offset = room_at(plan, room.within).offset;
                passed_on[static_cast<std::size_t>(room.within)] = 1;
            } else {
                room.offset = arena_of(room).take(room.bytes());
            }
        }
        const auto leave = [&](int number) {
            if (number < 0 || passed_on[static_cast<std::size_t>(number)]) return;
            const Room& room = room_at(plan, number);
            if (room.kind != Room::arena || room.last != static_cast<int>(s)) return;
            arena_of(room).give(room.offset, room.bytes());
            passed_on[static_cast<std::size_t>(number)] = 1;
        };
        for (const Spot& spot : step.in) leave(spot.room);
        for (int number : step.out) leave(number);  // what nobody reads
    }
    for (int device = 0; device < 2; ++device) plan.arena_bytes[device] = arenas[device].size();
}

}  // namespace

PlanLayout lay_out(const Program& program) {
    PlanLayout plan;
    place_lines(plan, program);
    place_outputs(plan, program);
    find_lifetimes(plan);
    write_over(plan);
    place_rooms(plan);
    return plan;
}

}  // namespace tg
