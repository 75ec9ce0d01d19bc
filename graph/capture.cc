#include "graph/capture.h"

#include <algorithm>
#include <map>

#include "core/apply.h"
#include "core/history.h"
#include "core/ops/structural.h"
#include "core/state.h"

namespace tg {
namespace {

const char* kind_name(RecordedInput::Kind kind) {
    switch (kind) {
        case RecordedInput::variable:
            return "w";
        case RecordedInput::slot:
            return "grad";
        default:
            return "x";
    }
}

ProgramInput program_input(const RecordedInput& from, std::size_t number, bool wanted) {
    ProgramInput input;
    input.kind = from.kind == RecordedInput::variable ? ProgramInput::variable
                 : from.kind == RecordedInput::slot   ? ProgramInput::slot
                                                      : ProgramInput::argument;
    input.name = from.name.empty() ? kind_name(from.kind) + std::to_string(number) : from.name;
    input.requires_grad = wanted;
    return input;
}

Line line_of(const Node& node, const Captured& c) {
    Line line;
    line.op = node.op;
    line.attrs = node.attrs;
    line.requires_grad = node.requires_grad;
    line.where = node.where;
    for (const Input& in : node.inputs)
        line.in.push_back(in.is_scalar ? Operand{-1, in.scalar} : Operand{c.number(in.value), {}});
    return line;
}

}  // namespace

Captured capture(const Recording& r, std::span<const Value> roots, const std::string& name,
                 bool all_arguments) {
    const Tape t = tape(roots);
    Captured c;
    c.program = make<Program>();
    Program& p = *c.program;
    p.name = name;
    std::unordered_map<const Node*, bool> leaves;  // of the reads: is there one above it?
    for (const Node* node : t.nodes)
        if (node->op == &ops::leaf) leaves[node->inputs[0].value.node.get()] = true;
    for (std::size_t i = 0; i < r.inputs.size(); ++i) {
        const RecordedInput& input = r.inputs[i];
        const Node* node = input.value.node.get();
        const bool used =
            std::binary_search(t.nodes.begin(), t.nodes.end(), node,
                               [](const Node* a, const Node* b) { return a->id < b->id; });
        const bool argument =
            input.kind == RecordedInput::argument || input.kind == RecordedInput::placeholder;
        if (!used && !(all_arguments && argument)) continue;
        c.numbers[node] = static_cast<int>(p.values.size());
        p.values.push_back(node->outputs[0]);
        p.inputs.push_back(program_input(input, p.inputs.size(), leaves.count(node) > 0));
        c.inputs.push_back(static_cast<int>(i));
    }
    for (const Node* node : t.nodes) {
        if (node->op == &ops::read) continue;
        Line line = line_of(*node, c);
        c.numbers[node] = static_cast<int>(p.values.size());
        for (const Desc& d : node->outputs) {
            line.out.push_back(static_cast<int>(p.values.size()));
            p.values.push_back(d);
        }
        p.lines.push_back(std::move(line));
    }
    for (const Value& root : roots) p.outputs.push_back(c.number(root));
    return c;
}

namespace {

// A leaf line written again: gradients stop at it, but no history waits for them.
Tensor leaf_again(Recording& r, const Tensor& from, Replayed& out) {
    Ref<Node> node = new_node(ops::leaf, {});
    node->recording = r.id;
    node->inputs.push_back(
        Input{value_of(from), {from.shape(), from.dtype(), from.device()}, false, {}});
    node->outputs.push_back(node->inputs[0].desc);
    node->requires_grad = true;
    out.leaf_values.push_back(Value{node, 0});
    out.leaves.push_back(r.symbol(out.leaf_values.back(), node->outputs[0]));
    return out.leaves.back();
}

// What only goes by another name keeps its strides: a view of it was written down for these.
void keep_strides(const Op& op, const Tensor& from, const Tensor& to) {
    if (op.alias && !op.view && from.shape() == to.shape())
        to.handle().layout.strides = from.strides();
}

}  // namespace

Replayed replay(const Program& program, std::span<const Tensor> inputs) {
    Recording& r = *recording();
    Replayed out;
    out.values.assign(inputs.begin(), inputs.end());
    out.values.resize(program.values.size());
    for (const Line& line : program.lines) {
        const Elsewhere place(line.where);
        const GradMode mode(line.requires_grad);
        if (line.op == &ops::leaf) {
            const Tensor& from = out.values[static_cast<std::size_t>(line.in[0].value)];
            const Tensor leaf = leaf_again(r, from, out);
            keep_strides(ops::leaf, from, leaf);
            out.values[static_cast<std::size_t>(line.out[0])] = leaf;
            continue;
        }
        std::vector<Arg> args;
        for (const Operand& in : line.in) {
            if (in.value < 0)
                args.emplace_back(in.scalar);
            else
                args.emplace_back(out.values[static_cast<std::size_t>(in.value)]);
        }
        const Outputs made = apply_all(*line.op, args, line.attrs);
        if (line.op->alias && !args.empty() && args[0].is_tensor())
            keep_strides(*line.op, args[0].tensor, made[0]);
        for (int k = 0; k < made.size(); ++k)
            out.values[static_cast<std::size_t>(line.out[k])] = made[k];
    }
    return out;
}

// ---- unknown dims ------------------------------------------------------------------------------
namespace {

using Binding = std::map<std::int64_t, std::int64_t>;

void bind(Binding& binding, const Desc& symbolic, const Desc& known) {
    for (int d = 0; d < symbolic.shape.size(); ++d)
        if (is_unknown(symbolic.shape[d])) binding[symbolic.shape[d]] = known.shape[d];
}

Attrs with_numbers(const Attrs& attrs, const Binding& binding) {
    std::vector<Attr> list;
    bool changed = false;
    for (int i = 0; i < attrs.size(); ++i) {
        list.push_back(attrs[i]);
        auto* dims = std::get_if<Dims>(&list.back().value);
        if (!dims) continue;
        for (std::int64_t& d : *dims) {
            const auto found = binding.find(d);
            if (found == binding.end()) continue;
            d = found->second;
            changed = true;
        }
    }
    return changed ? Attrs(std::move(list)) : attrs;
}

Descs descs_again(const Line& line, std::span<const Desc> in) {
    const Op& op = *line.op;
    if (op.shape) return op.shape(op, in, line.attrs);
    Layout out;
    op.view(Layout::contiguous(in[0].shape), line.attrs, out);
    return {Desc{out.shape, in[0].dtype, in[0].device}};
}

// An error that shows only now happened at the line that wrote the op.
Descs descs_named(const Line& line, std::span<const Desc> in) {
    try {
        return descs_again(line, in);
    } catch (const Error& e) {
        const std::string what = e.what();
        if (!line.where || what.find(text(line.where)) != std::string::npos) throw;
        throw Error(e.kind, what + at(line.where));
    }
}

}  // namespace

Ref<Program> bound_to(const Program& program, std::span<const Desc> inputs) {
    Ref<Program> bound = make<Program>(program);
    Binding binding;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        bind(binding, program.values[i], inputs[i]);
        bound->values[i] = inputs[i];
    }
    for (Line& line : bound->lines) {
        const Elsewhere place(line.where);
        line.attrs = with_numbers(line.attrs, binding);
        std::vector<Desc> in;
        for (int i = 0; i < line.in.size(); ++i) in.push_back(bound->operand_desc(line, i));
        const Descs out = descs_named(line, in);
        for (int k = 0; k < out.size(); ++k) {
            const auto number = static_cast<std::size_t>(line.out[k]);
            bind(binding, program.values[number], out[k]);
            bound->values[number] = out[k];
        }
    }
    return bound;
}

}  // namespace tg
