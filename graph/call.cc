#include "graph/call.h"

#include <unordered_set>

#include "core/history.h"
#include "core/ops/structural.h"
#include "core/state.h"
#include "graph/capture.h"
#include "graph/passes/pass.h"

namespace tg {

Callable::Callable(Ref<Program> program, Executor how)
    : written(std::move(program)), executor(how) {
    std::vector<const Pass*> passes;
    for (const Pass* pass : all_passes())
        if (executor == Executor::fused || std::string(pass->name) != "fuse")
            passes.push_back(pass);
    improved = executor == Executor::lines ? written : optimise(*written, passes);
    if (executor != Executor::lines) plan = std::make_unique<Plan>(improved);
    for (const Line& line : written->lines)
        if (line.op == &ops::leaf) variables.push_back(line.out[0]);
    differentiable.assign(written->outputs.size(), 1);
}

Callable::~Callable() = default;

std::vector<Tensor> Callable::run(std::span<const Tensor> inputs) const {
    const RecordingScope now(nullptr);
    return plan ? plan->run(inputs) : execute(*improved, inputs);
}

// ---- the gradient as programs ------------------------------------------------------------------
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
                           const std::vector<Value>& results, const std::string& name) {
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
    for (std::size_t k = 0; k < seeds.size(); ++k)
        add_input(value_of(seeds[k]), "g" + std::to_string(k));
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

std::unique_ptr<CallGradient> made_gradient(const Callable& callable) {
    const Program& program = *callable.written;
    Recording r;
    r.kind = Recording::trace;
    r.id = new_recording_id();
    r.name = program.name + "'s gradient";
    const RecordingScope scope(&r);
    const GradMode mode(true);
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < program.inputs.size(); ++i)
        inputs.push_back(symbol_input(r, program.values[i], program.inputs[i].name));
    const Replayed again = replay(program, inputs);

    auto out = std::make_unique<CallGradient>();
    out->outputs = static_cast<int>(program.outputs.size());
    std::vector<Tensor> outputs, roots, seeds;
    for (std::size_t k = 0; k < program.outputs.size(); ++k) {
        outputs.push_back(again.values[static_cast<std::size_t>(program.outputs[k])]);
        if (!callable.differentiable[k] || !outputs.back().requires_grad()) continue;
        const Tensor& o = outputs.back();
        out->seeds.push_back(static_cast<int>(k));
        roots.push_back(o);
        seeds.push_back(symbol_input(r, {o.shape(), o.dtype(), o.device()},
                                     "g" + std::to_string(seeds.size())));
    }
    // The seeds are leaves too, so that `joint` can be differentiated with respect to them.
    std::vector<Tensor> seed_leaves;
    for (const Tensor& seed : seeds) {
        Program one;
        one.values = {{seed.shape(), seed.dtype(), seed.device()}, {}};
        one.values[1] = one.values[0];
        Line line;
        line.op = &ops::leaf;
        line.in.push_back(Operand{0, {}});
        line.out.push_back(1);
        line.requires_grad = true;
        one.lines.push_back(line);
        seed_leaves.push_back(replay(one, std::span(&seed, 1)).leaves[0]);
    }
    const std::vector<Tensor> gradients =
        grad(roots, again.leaves, seed_leaves, {.create_graph = true});
    std::vector<Value> results;
    for (std::size_t k = 0; k < gradients.size(); ++k) {
        if (!gradients[k].defined()) continue;
        out->given.push_back(static_cast<int>(k));
        results.push_back(value_of(gradients[k]));
    }
    const Tape t = tape(results);
    const auto late = late_nodes(t, seeds);
    out->reached_by.resize(results.size());
    for (std::size_t k = 0; k < seeds.size(); ++k) {
        const auto reached = late_nodes(t, {&seeds[k], 1});
        for (std::size_t i = 0; i < results.size(); ++i)
            if (reached.count(results[i].node.get())) out->reached_by[i].push_back(out->seeds[k]);
    }
    const std::vector<Value> saved = crossing(t, late, results);
    std::vector<Value> forward_roots;
    for (const Tensor& o : outputs) forward_roots.push_back(value_of(o));
    forward_roots.insert(forward_roots.end(), saved.begin(), saved.end());
    r.inputs.resize(inputs.size());  // the seeds are no inputs of forward
    // forward has no leaves: nothing differentiates it.
    out->forward =
        make<Callable>(capture(r, forward_roots, program.name).program, callable.executor);
    for (std::size_t k = 0; k < seeds.size(); ++k) {
        RecordedInput input;
        input.kind = RecordedInput::argument;
        input.name = "g" + std::to_string(k);
        input.value = value_of(seeds[k]);
        r.inputs.push_back(input);
    }
    const Captured joint = capture(r, results, program.name + ".joint");
    out->joint = make<Callable>(joint.program, callable.executor);
    out->joint_variables = variables_of(joint, again.leaf_values, seed_leaves);
    out->backward = make<Callable>(backward_half(t, late, saved, seeds, results, program.name),
                                   callable.executor);
    return out;
}

}  // namespace

const CallGradient& Callable::gradient() const {
    std::call_once(once_, [this] { gradient_ = made_gradient(*this); });
    return *gradient_;
}

// ---- the op ------------------------------------------------------------------------------------
namespace {

// What the node of one call keeps: the program, and the values for either way of its gradient.
// Plain storages, as all saved values are: no history, so no cycle.
struct CallRecord final : Object {
    Ref<Callable> callable;
    std::vector<Tensor> saved;  // of forward, fresh and owned by this call
    std::vector<Saved> inputs;  // the call's inputs, for joint
    std::string text() const override { return callable->written->name; }
};

// The call's inputs as they were, for create_graph; an error if one was written since.
std::vector<Tensor> inputs_again(const Node& node, const CallRecord& call) {
    std::vector<Tensor> inputs;
    for (const Saved& s : call.inputs) {
        if (!s.storage) {
            inputs.push_back(Tensor{});
            continue;
        }
        if (s.storage->version != s.version)
            fail(ErrorKind::runtime, "backward: call", at(node.where),
                 " needs one of its old inputs for a second derivative, but ",
                 s.storage->written_by, at(s.storage->writer), " changed it in place");
        inputs.push_back(tensor_of(s.storage, s.layout));
    }
    return inputs;
}

// A variable that only outputs without a gradient lead to gets none, as on the tape.
void give_all(Backward& n, const CallGradient& gradient, const std::vector<Tensor>& results) {
    for (std::size_t i = 0; i < gradient.given.size(); ++i)
        for (int k : gradient.reached_by[i])
            if (n.has(k)) n.give(gradient.given[i], results[i]);
}

// One node's inputs are the program's variables: the leaf lines.
void call_gradient(Backward& n) {
    const auto& record = static_cast<const CallRecord&>(*n.attrs().object(0));
    const CallGradient& gradient = record.callable->gradient();
    if (n.node().freed)
        fail(ErrorKind::runtime, "backward: the values that ", record.callable->written->name,
             at(n.node().where), " kept were freed by the backward", at(n.node().freed_by),
             "; pass retain_graph=True the first time");
    if (!grad_enabled()) {
        std::vector<Tensor> inputs = record.saved;
        for (int k : gradient.seeds) inputs.push_back(contiguous(n.g(k)));
        give_all(n, gradient, gradient.backward->run(inputs));
        return;
    }
    std::vector<Tensor> inputs = inputs_again(n.node(), record);
    std::vector<Tensor> seeds;
    for (int k : gradient.seeds) seeds.push_back(contiguous(n.g(k)));
    inputs.insert(inputs.end(), seeds.begin(), seeds.end());
    std::vector<Value> variables;
    for (int v : gradient.joint_variables) {
        if (v >= 0) {
            variables.push_back(n.node().inputs[v].value);
        } else {
            const Tensor& g = seeds[static_cast<std::size_t>(-1 - v)];
            variables.push_back(g.requires_grad() ? value_of(g) : Value{});
        }
    }
    give_all(n, gradient, call(gradient.joint, inputs, variables));
}

}  // namespace

namespace ops {
extern const Op call;
const Op call = {.name = "call",
                 .gradient = call_gradient,
                 .attributes = {{"program", AttrKind::object}},
                 .folds = false};
}  // namespace ops

std::vector<Tensor> call(const Ref<Callable>& callable, std::span<const Tensor> inputs,
                         std::span<const Value> variables) {
    bool wanted = false;
    for (const Value& v : variables) wanted = wanted || v;
    if (!wanted || !grad_enabled()) return callable->run(inputs);
    const CallGradient& gradient = callable->gradient();
    if (gradient.given.empty()) return callable->run(inputs);

    std::vector<Tensor> outputs = gradient.forward->run(inputs);
    Ref<CallRecord> record(new CallRecord);
    record->callable = callable;
    const auto own = static_cast<std::ptrdiff_t>(gradient.outputs);
    record->saved.assign(outputs.begin() + own, outputs.end());
    outputs.resize(static_cast<std::size_t>(gradient.outputs));
    for (const Tensor& t : inputs) {
        Saved s;
        if (t.defined())
            s = {Need::a, t.handle().storage, t.handle().layout, t.handle().storage->version};
        record->inputs.push_back(std::move(s));
    }
    Ref<Node> node = new_node(ops::call, {Attr{Ref<Object>(record.get())}});
    node->requires_grad = true;
    for (std::size_t k = 0; k < variables.size(); ++k) {
        const auto number = static_cast<std::size_t>(callable->variables[k]);
        node->inputs.push_back(Input{variables[k], callable->written->values[number], false, {}});
    }
    for (const Tensor& t : outputs) node->outputs.push_back(Desc{t.shape(), t.dtype(), t.device()});
    node->saved.push_back(Saved{});  // so that a backward frees it
    for (int k : gradient.seeds) {
        Handle& h = outputs[static_cast<std::size_t>(k)].handle();
        h.seen = Value{node, k};
        h.history->now = h.seen;
    }
    return outputs;
}

}  // namespace tg
