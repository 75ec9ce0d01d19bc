// Common subexpressions: two lines with the same op, attributes and operands make the same value,
// so the second is left out and its users take the first one's. Gradients are full of them: the
// rule of x * y asks for what the forward lines have computed already.
//
// Lines that only say where gradients part from numbers (leaf, detach, rebind, function) are their
// first inputs to whoever runs the program, and are merged with them. Random lines make another
// value each time, and a line that touches state is there for its effect.
#include <unordered_map>

#include "graph/passes/passes.h"

namespace tg {
namespace {

bool can_merge(const Op& op) {
    return !op.random && !op.reads_state && !op.writes_state && op.folds;
}

std::size_t hash_of(const Line& line) {
    std::size_t h = std::hash<const void*>()(line.op);
    for (const Operand& in : line.in) h = h * 1000003 + static_cast<std::size_t>(in.value + 2);
    return h;
}

// Numbers must be of the same bits: -0.0 is not 0.0, and NaN is NaN.
bool same_operand(const Operand& a, const Operand& b) {
    return a.value == b.value && a.scalar.dtype == b.scalar.dtype &&
           a.scalar.integer == b.scalar.integer;
}

bool same_work(const Program& program, const Line& a, const Line& b) {
    if (a.op != b.op || a.in.size() != b.in.size() || a.out.size() != b.out.size()) return false;
    for (int i = 0; i < a.in.size(); ++i)
        if (!same_operand(a.in[i], b.in[i])) return false;
    for (int k = 0; k < a.out.size(); ++k)
        if (program.values[static_cast<std::size_t>(a.out[k])] !=
            program.values[static_cast<std::size_t>(b.out[k])])
            return false;
    return a.attrs == b.attrs;
}

Ref<Program> run(const Program& program) {
    std::vector<int> stands_for(program.values.size());  // by value: the one to use instead
    for (std::size_t v = 0; v < stands_for.size(); ++v) stands_for[v] = static_cast<int>(v);
    const auto now = [&](int& value) {
        if (value >= 0) value = stands_for[static_cast<std::size_t>(value)];
    };
    Ref<Program> result = make<Program>(program);
    result->lines.clear();
    result->lines.reserve(program.lines.size());
    std::unordered_multimap<std::size_t, std::size_t> known;  // hash -> line of the result
    for (const Line& original : program.lines) {
        Line line = original;
        for (Operand& in : line.in) now(in.value);
        const bool only_gradients = line.op->alias && !line.op->view && !line.op->writes_state;
        if (only_gradients) {
            for (int k = 0; k < line.out.size(); ++k)
                stands_for[static_cast<std::size_t>(line.out[k])] = line.in[k].value;
            continue;
        }
        const Line* twin = nullptr;
        const auto [begin, end] = known.equal_range(hash_of(line));
        for (auto it = begin; it != end && can_merge(*line.op) && !twin; ++it)
            if (same_work(program, result->lines[it->second], line))
                twin = &result->lines[it->second];
        if (twin) {
            for (int k = 0; k < line.out.size(); ++k)
                stands_for[static_cast<std::size_t>(line.out[k])] = twin->out[k];
            continue;
        }
        known.emplace(hash_of(line), result->lines.size());
        result->lines.push_back(std::move(line));
    }
    for (int& output : result->outputs) now(output);
    return result;
}

}  // namespace

const Pass merge_equal = {
    .name = "merge", .run = run, .what = "lines that compute the same value become one"};

}  // namespace tg
