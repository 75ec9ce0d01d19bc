#include "graph/call.h"

#include <algorithm>

#include "core/anomaly.h"
#include "core/history.h"
#include "core/ops/structural.h"
#include "core/state.h"
#include "graph/passes/passes.h"

namespace tg {

Callable::Callable(Ref<Program> program, Executor how)
    : written(std::move(program)), executor(how) {
    std::vector<const Pass*> passes;
    for (const Pass* pass : all_passes())
        if (executor == Executor::fused || (pass != &fuse && pass != &run_together))
            passes.push_back(pass);
    improved = executor == Executor::lines ? written : optimise(*written, passes);
    if (executor != Executor::lines) plan = std::make_unique<Plan>(improved);
    for (const Line& line : written->lines)
        if (line.op == &ops::leaf) variables.push_back(line.out[0]);
    differentiable.assign(written->outputs.size(), 1);
}

Callable::~Callable() = default;

int Callable::launches() const {
    if (plan) return plan->statistics().launches;
    const auto& lines = improved->lines;
    return static_cast<int>(std::count_if(lines.begin(), lines.end(), [](const Line& line) {
        return !line.op->alias && !line.op->view;
    }));
}

std::vector<Tensor> Callable::run(std::span<const Tensor> inputs) const {
    const RecordingScope now(nullptr);
    // As written: a line then is one op of the user's, and its result is looked over.
    if (detects_anomaly()) return execute(*written, inputs);
    return plan ? plan->run(inputs) : execute(*improved, inputs);
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
                 " needs one of its old inputs",
                 grad_enabled() ? " for a second derivative"
                                : " to call a Function's backward again",
                 ", but ", s.storage->written_by, at(s.storage->writer), " changed it in place");
        inputs.push_back(tensor_of(s.storage, s.layout));
    }
    return inputs;
}

// One node's inputs are the program's variables: the leaf lines.
void call_gradient(Backward& n) {
    const auto& record = static_cast<const CallRecord&>(*n.attrs().object(0));
    const CallGradient& gradient = record.callable->gradient();
    if (n.node().freed)
        fail(ErrorKind::runtime, "backward: the values that ", record.callable->written->name,
             at(n.node().where), " kept were freed by the backward", at(n.node().freed_by),
             "; pass retain_graph=True the first time");
    std::vector<char> present;
    std::vector<Tensor> seeds;
    const auto add_seed = [&](const Tensor& g) {
        present.push_back(g.defined());
        seeds.push_back(g.defined() ? contiguous(g) : g);
    };
    std::vector<char> reached(static_cast<std::size_t>(n.inputs()), 0);
    for (std::size_t i = 0; i < gradient.seeds.size(); ++i) {
        const int k = gradient.seeds[i];
        add_seed(n.has(k) ? n.g(k) : Tensor{});
        if (!n.has(k)) continue;
        for (int v : gradient.variables_behind[i]) reached[static_cast<std::size_t>(v)] = 1;
    }
    for (int v : gradient.sums)
        add_seed(reached[static_cast<std::size_t>(v)] ? n.take_sum(v) : Tensor{});
    const GradientHalves& halves = gradient.halves(*record.callable, present);
    const bool from_inputs = grad_enabled() || !halves.backward;
    std::vector<Tensor> inputs = from_inputs ? inputs_again(n.node(), record) : record.saved;
    inputs.insert(inputs.end(), seeds.begin(), seeds.end());
    std::vector<Tensor> results;
    if (from_inputs) {
        std::vector<Value> variables;
        for (int v : halves.joint_variables) {
            if (v >= 0) {
                variables.push_back(n.node().inputs[v].value);
            } else {
                const Tensor& g = seeds[static_cast<std::size_t>(-1 - v)];
                variables.push_back(g.requires_grad() ? value_of(g) : Value{});
            }
        }
        results = call(halves.joint, inputs, variables);
    } else {
        results = halves.backward->run(inputs);
    }
    for (std::size_t i = 0; i < halves.given.size(); ++i) n.give(halves.given[i], results[i]);
}

}  // namespace

namespace ops {
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
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        Tensor t = inputs[i];
        Saved s;
        if (t.defined() && i < callable->overwritten.size() && callable->overwritten[i])
            t = clone(t);  // as it was: a second derivative starts from it
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
    const auto flows_to = [&](int variable) {
        return static_cast<bool>(variables[static_cast<std::size_t>(variable)]);
    };
    for (std::size_t i = 0; i < gradient.seeds.size(); ++i) {
        const int k = gradient.seeds[i];
        const std::vector<int>& behind = gradient.variables_behind[i];
        if (std::none_of(behind.begin(), behind.end(), flows_to)) continue;
        Handle& h = outputs[static_cast<std::size_t>(k)].handle();
        h.seen = Value{node, k};
        h.history->now = h.seen;
    }
    return outputs;
}

}  // namespace tg
