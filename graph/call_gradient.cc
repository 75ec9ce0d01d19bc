// The gradient of a program, as programs: see call.h for the three and how they fit together.
#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/function.h"
#include "core/history.h"
#include "core/ops/structural.h"
#include "graph/absent_seeds.h"
#include "graph/call.h"
#include "graph/capture.h"

namespace tg {
namespace {

// The nodes that depend on a seed: the backward half. All others can run with the forward half.
std::unordered_set<const Node*> late_nodes(const Tape& t, std::span<const Tensor> seeds) {
    std::unordered_set<const Node*> late;
    for (const Tensor& seed : seeds) late.insert(value_of(seed).node.get());
    for (const Node* node : t.nodes)
        for (const Input& in : node->inputs)
            if (late.count(in.value.node.get())) late.insert(node);
    return late;
}

bool contains(const std::vector<Value>& values, const Value& v) {
    for (const Value& x : values)
        if (x == v) return true;
    return false;
}

// What late lines take from early ones.
std::vector<Value> crossing(const Tape& t, const std::unordered_set<const Node*>& late,
                            const std::vector<Value>& results) {
    std::vector<Value> values;
    for (const Node* node : t.nodes) {
        if (!late.count(node)) continue;
        for (const Input& in : node->inputs)
            if (!in.is_scalar && !late.count(in.value.node.get()) && !contains(values, in.value))
                values.push_back(in.value);
    }
    for (const Value& v : results)
        if (!late.count(v.node.get()) && !contains(values, v)) values.push_back(v);
    return values;
}

// An input of the recording that is no tensor's: bound by number when the program is called.
Tensor symbol_input(Recording& r, const Desc& desc, const std::string& name) {
    RecordedInput input;
    input.kind = RecordedInput::argument;
    input.name = name;
    return r.symbol(r.new_input(input, desc), desc);
}

// The lines of the backward half on inputs of their own: the saved values, then the seeds.
Ref<Program> backward_half(const Tape& t, const std::unordered_set<const Node*>& late,
                           const std::vector<Value>& saved, std::span<const Tensor> seeds,
                           std::span<const std::string> names, const std::vector<Value>& results,
                           const std::string& name) {
    Ref<Program> p = make<Program>();
    p->name = name + ".backward";
    std::unordered_map<const Node*, std::vector<int>> numbers;
    const auto number = [&](const Value& v) {
        return numbers.at(v.node.get())[static_cast<std::size_t>(v.index)];
    };
    const auto add_input = [&](const Value& v, std::string label) {
        auto& list = numbers[v.node.get()];
        list.resize(static_cast<std::size_t>(v.node->outputs.size()), -1);
        list[static_cast<std::size_t>(v.index)] = static_cast<int>(p->values.size());
        p->values.push_back(v.node->outputs[v.index]);
        p->inputs.push_back({ProgramInput::argument, std::move(label), false});
    };
    for (const Value& v : saved) add_input(v, "saved" + std::to_string(p->inputs.size()));
    for (std::size_t k = 0; k < seeds.size(); ++k) add_input(value_of(seeds[k]), names[k]);
    for (const Node* node : t.nodes) {
        if (!late.count(node) || node->op == &ops::read) continue;
        Line line;
        line.op = node->op;
        line.attrs = node->attrs;
        line.where = node->where;
        for (const Input& in : node->inputs)
            line.in.push_back(in.is_scalar ? Operand{-1, in.scalar}
                                           : Operand{number(in.value), {}});
        auto& list = numbers[node];
        for (const Desc& d : node->outputs) {
            list.push_back(static_cast<int>(p->values.size()));
            line.out.push_back(list.back());
            p->values.push_back(d);
        }
        p->lines.push_back(std::move(line));
    }
    for (const Value& v : results) p->outputs.push_back(number(v));
    return p;
}

// By output of the program: the leaf lines, by number, that a gradient could flow to from it.
std::vector<std::vector<int>> leaves_behind(const Program& program) {
    std::vector<std::set<int>> behind(program.values.size());
    int leaves = 0;
    for (const Line& line : program.lines) {
        if (line.op == &ops::leaf) behind[static_cast<std::size_t>(line.out[0])] = {leaves++};
        if (line.op == &ops::leaf || !line.requires_grad) continue;
        std::set<int> reached;
        for (const Operand& in : line.in)
            if (in.value >= 0) reached.merge(std::set(behind[static_cast<std::size_t>(in.value)]));
        for (int out : line.out) behind[static_cast<std::size_t>(out)] = reached;
    }
    std::vector<std::vector<int>> by_output;
    for (int v : program.outputs) {
        const std::set<int>& reached = behind[static_cast<std::size_t>(v)];
        by_output.emplace_back(reached.begin(), reached.end());
    }
    return by_output;
}

// Which of our variables, or which seed, each leaf line of `joint` stands for.
std::vector<int> variables_of(const Captured& joint, const std::vector<Value>& leaves,
                              const std::vector<Tensor>& seed_leaves) {
    std::vector<int> variables;
    const auto is = [&](const Value& v, int number) {
        return joint.numbers.count(v.node.get()) && joint.number(v) == number;
    };
    for (const Line& line : joint.program->lines) {
        if (line.op != &ops::leaf) continue;
        for (std::size_t k = 0; k < leaves.size(); ++k)
            if (is(leaves[k], line.out[0])) variables.push_back(static_cast<int>(k));
        for (std::size_t k = 0; k < seed_leaves.size(); ++k)
            if (is(value_of(seed_leaves[k]), line.out[0]))
                variables.push_back(-1 - static_cast<int>(k));
    }
    return variables;
}

// ---- made again
// ----------------------------------------------------------------------------------

// A seed as a leaf too, so that `joint` can be differentiated with respect to it.
Tensor seed_leaf(const Tensor& seed) {
    Program one;
    one.values = {{seed.shape(), seed.dtype(), seed.device()}, {}};
    one.values[1] = one.values[0];
    Line line;
    line.op = &ops::leaf;
    line.in.push_back(Operand{0, {}});
    line.out.push_back(1);
    line.requires_grad = true;
    one.lines.push_back(line);
    return replay(one, std::span(&seed, 1)).leaves[0];
}

// What the gradient is taken of: outputs, then variables, each with its seed.
struct Roots {
    std::vector<Tensor> roots, seeds, seed_leaves;
    std::vector<std::string> names;

    void add(Recording& r, const Tensor& root, const std::string& name) {
        roots.push_back(root);
        names.push_back(name);
        seeds.push_back(symbol_input(r, {root.shape(), root.dtype(), root.device()}, name));
        seed_leaves.push_back(seed_leaf(seeds.back()));
    }
};

Recording recording_for(const Callable& callable) {
    Recording r;
    r.kind = Recording::traced;
    r.id = new_recording_id();
    r.name = callable.written->name + "'s gradient";
    return r;
}

// The program's lines written down again, to take their gradient.
struct Again {
    const Callable& callable;
    const Program& program = *callable.written;
    Recording r = recording_for(callable);
    RecordingScope scope{&r};
    GradMode mode{true};
    std::vector<Tensor> inputs = symbols();
    Replayed lines = replay(program, inputs);
    Roots all;

    // Also says in `out` which outputs and variables have seeds.
    Again(const Callable& of, CallGradient& out) : callable(of) {
        const std::vector<std::vector<int>> behind = leaves_behind(program);
        std::set<int> variables;
        for (std::size_t k = 0; k < program.outputs.size(); ++k) {
            const Tensor& output = lines.values[static_cast<std::size_t>(program.outputs[k])];
            if (!callable.differentiable[k] || !output.requires_grad()) continue;
            out.variables_behind.push_back(behind[k]);
            variables.insert(behind[k].begin(), behind[k].end());
            all.add(r, output, "g" + std::to_string(out.seeds.size()));
            out.seeds.push_back(static_cast<int>(k));
        }
        for (int v : variables) {
            all.add(r, lines.leaves[static_cast<std::size_t>(v)], "sum" + std::to_string(v));
            out.sums.push_back(v);
        }
    }

    std::vector<Tensor> symbols() {
        std::vector<Tensor> list;
        for (std::size_t i = 0; i < program.inputs.size(); ++i)
            list.push_back(symbol_input(r, program.values[i], program.inputs[i].name));
        return list;
    }

    // The gradients of the variables, and in `given` of which, from the seeds that are present.
    std::vector<Value> gradients(const std::vector<char>& present, std::vector<int>& given) {
        std::vector<Tensor> roots, seeds;
        for (std::size_t k = 0; k < all.roots.size(); ++k) {
            if (!present[k]) continue;
            roots.push_back(all.roots[k]);
            seeds.push_back(all.seed_leaves[k]);
        }
        const std::vector<Tensor> found = grad(roots, lines.leaves, seeds, {.create_graph = true});
        std::vector<Value> results;
        for (std::size_t k = 0; k < found.size(); ++k) {
            if (!found[k].defined()) continue;
            given.push_back(static_cast<int>(k));
            results.push_back(value_of(found[k]));
        }
        return results;
    }

    // From the program's inputs and the seeds, all in one.
    Captured joint(const std::vector<Value>& results) {
        r.inputs.resize(inputs.size());
        for (std::size_t k = 0; k < all.seeds.size(); ++k) {
            RecordedInput input;
            input.kind = RecordedInput::argument;
            input.name = all.names[k];
            input.value = value_of(all.seeds[k]);
            r.inputs.push_back(input);
        }
        return capture(r, results, program.name + ".joint");
    }
};

std::unique_ptr<CallGradient> made_gradient(const Callable& callable) {
    auto out = std::make_unique<CallGradient>();
    Again again(callable, *out);
    out->outputs = static_cast<int>(again.program.outputs.size());
    const std::vector<Value> results =
        again.gradients(std::vector<char>(again.all.roots.size(), 1), out->given);
    const Tape t = tape(results);
    const auto late = late_nodes(t, again.all.seeds);
    const std::vector<Value> saved = crossing(t, late, results);
    std::vector<Value> forward_roots;
    for (int v : again.program.outputs)
        forward_roots.push_back(value_of(again.lines.values[static_cast<std::size_t>(v)]));
    forward_roots.insert(forward_roots.end(), saved.begin(), saved.end());
    again.r.inputs.resize(again.inputs.size());  // the seeds are no inputs of forward
    const std::string& name = again.program.name;
    // forward has no leaves: nothing differentiates it.
    out->forward = make<Callable>(capture(again.r, forward_roots, name).program, callable.executor);
    const Captured joint = again.joint(results);
    out->joint = joint.program;
    out->joint_variables = variables_of(joint, again.lines.leaf_values, again.all.seed_leaves);
    out->backward = backward_half(t, late, saved, again.all.seeds, again.all.names, results, name);
    return out;
}

// A user's rule may do what it likes where the gradient of one of its outputs is absent.
bool has_own_rules(const Program& program) {
    return std::any_of(program.lines.begin(), program.lines.end(), [](const Line& line) {
        return line.op == &ops::function && line.attrs.object(0) &&
               static_cast<const Function*>(line.attrs.object(0))->outputs > 1;
    });
}

// So it is asked again. What `forward` has saved is not what it may want now: there is only the
// joint program.
std::unique_ptr<GradientHalves> halves_anew(const Callable& callable,
                                            const std::vector<char>& present) {
    auto out = std::make_unique<GradientHalves>();
    CallGradient same;
    Again again(callable, same);
    const Captured joint = again.joint(again.gradients(present, out->given));
    out->joint_variables = variables_of(joint, again.lines.leaf_values, again.all.seed_leaves);
    out->joint = make<Callable>(joint.program, callable.executor);
    return out;
}

}  // namespace

const CallGradient& Callable::gradient() const {
    std::call_once(once_, [this] { gradient_ = made_gradient(*this); });
    return *gradient_;
}

const GradientHalves& CallGradient::halves(const Callable& callable,
                                           const std::vector<char>& present) const {
    const std::lock_guard lock(mutex_);
    auto& found = made_[present];
    if (found) return *found;
    const auto outputs_end = present.begin() + static_cast<std::ptrdiff_t>(seeds.size());
    const bool all = std::find(present.begin(), outputs_end, 0) == outputs_end;
    const bool anew = !all && has_own_rules(*callable.written);
    found = anew ? halves_anew(callable, present) : halves_with(*this, present);
    return *found;
}

}  // namespace tg
