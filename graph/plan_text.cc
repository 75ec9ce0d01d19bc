// A plan as text: for each value where it lies and, in an arena, from which step to which.
#include <sstream>

#include "graph/plan_layout.h"

namespace tg {

static std::string place(const PlanLayout& plan, const Spot& spot) {
    const Room& room = plan.rooms[static_cast<std::size_t>(spot.room)];
    std::ostringstream out;
    switch (room.kind) {
        case Room::input:
            out << "input " << room.index;
            break;
        case Room::output:
            out << "output " << room.index;
            break;
        case Room::held:
            out << "held, computed once";
            break;
        case Room::arena:
            out << "bytes " << room.offset << ".." << room.offset + room.bytes() << ", steps "
                << room.first << "-" << room.last;
            if (room.within >= 0) out << ", over its input";
    }
    return out.str();
}

std::string text(const Program& program, const PlanLayout& plan) {
    std::ostringstream out;
    out << "plan " << program.name << ": " << plan.steps.size() << " launches, an arena of "
        << plan.arena_bytes[0] + plan.arena_bytes[1] << " bytes for " << plan.value_bytes << "\n";
    std::vector<char> seen(plan.rooms.size(), 0);
    for (std::size_t v = 0; v < plan.values.size(); ++v) {
        const Spot& spot = plan.values[v];
        if (spot.room < 0) continue;  // a number that no line makes
        const bool view = seen[static_cast<std::size_t>(spot.room)]++ > 0;
        out << "  %" << v << "  " << text(program.values[v]) << "  " << (view ? "view of " : "")
            << place(plan, spot) << "\n";
    }
    return out.str();
}

}  // namespace tg
