// Dead code: a line whose values nobody uses need not run. Going backwards from what the program
// returns, everything that is met is alive. A line that changes state is alive by itself.
#include "graph/passes/passes.h"

namespace tg {
namespace {

Ref<Program> run(const Program& program) {
    std::vector<char> alive(program.values.size(), 0);
    for (int output : program.outputs) alive[static_cast<std::size_t>(output)] = 1;
    std::vector<char> kept(program.lines.size(), 0);
    for (std::size_t l = program.lines.size(); l-- > 0;) {
        const Line& line = program.lines[l];
        bool used = line.op->writes_state;
        for (int out : line.out) used = used || alive[static_cast<std::size_t>(out)];
        if (!used) continue;
        kept[l] = 1;
        for (const Operand& in : line.in)
            if (in.value >= 0) alive[static_cast<std::size_t>(in.value)] = 1;
    }
    Ref<Program> result = make<Program>(program);
    result->lines.clear();
    for (std::size_t l = 0; l < program.lines.size(); ++l)
        if (kept[l]) result->lines.push_back(program.lines[l]);
    return result;
}

}  // namespace

const Pass drop_dead = {
    .name = "dead", .run = run, .what = "lines whose values nobody uses are left out"};

}  // namespace tg
