#include "core/function.h"

#include <algorithm>

#include "core/checkpoint.h"
#include "core/history.h"
#include "core/ops/family.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "core/state.h"

namespace tg {
namespace {

const Function& function_of(const Attrs& attrs) {
    return static_cast<const Function&>(*attrs.object(0));
}

// ---- the op ------------------------------------------------------------------------------------

// numbers..., inputs..., others... -> numbers...
Descs function_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    const auto* f = dynamic_cast<const Function*>(attrs.object(0));
    if (!f || static_cast<int>(in.size()) < f->outputs + f->inputs)
        fail(ErrorKind::value, op.name, ": has too few inputs");
    Descs out;
    for (int k = 0; k < f->outputs; ++k) out.push_back(in[static_cast<std::size_t>(k)]);
    return out;
}

// What backward returned for an input: its shape, or one that sums up to it.
void check_gradient(const Function& f, const Node& node, int i, const Tensor& g) {
    const Desc& d = node.inputs[f.outputs + i].desc;
    if (g.shape() != d.shape && !any_unknown(d.shape) && !any_unknown(g.shape())) {
        bool fits = g.dims() >= d.shape.size();
        const int more = g.dims() - d.shape.size();
        for (int k = 0; fits && k < d.shape.size(); ++k)
            fits = d.shape[k] == g.shape()[k + more] || d.shape[k] == 1;
        if (!fits)
            fail(ErrorKind::runtime, f.name, ": its backward returned a gradient of shape ",
                 text(g.shape()), " for input ", i, ", which has shape ", text(d.shape));
    }
    if (!is_floating(g.dtype()) || g.device() != d.device)
        fail(ErrorKind::runtime, f.name, ": its backward returned a gradient of ",
             name_of(g.dtype()), " on ", name_of(g.device()), " for input ", i, ", which is ",
             name_of(d.dtype), " on ", name_of(d.device));
}

// y = f(x)  =>  dx = what the user's rule makes of g
void function_gradient(Backward& n) {
    const Function& f = function_of(n.attrs());
    BackwardPass pass(n, f);
    const std::vector<Tensor> found = f.backward(pass);
    if (static_cast<int>(found.size()) != f.inputs)
        fail(ErrorKind::runtime, f.name, ": its backward returned ", found.size(),
             found.size() == 1 ? " gradient" : " gradients", ", but its forward was given ",
             f.inputs, f.inputs == 1 ? " tensor" : " tensors");
    for (int i = 0; i < f.inputs; ++i) {
        const Tensor& g = found[static_cast<std::size_t>(i)];
        if (!g.defined() || !n.wants(f.outputs + i)) continue;
        check_gradient(f, n.node(), i, g);
        n.give(f.outputs + i, g);
    }
}

// ---- what it is applied to ---------------------------------------------------------------------

// Is the k-th output forward's own, so that a node may be said to have made it? In a recording all
// that counts is that it is no input or earlier output, whole or in part: nothing else can be
// written through it.
bool is_own(const std::vector<Tensor>& outputs, std::size_t k, const std::vector<Tensor>& inputs) {
    const Tensor& y = outputs[k];
    const Handle& h = y.handle();
    const auto shares = [&](const Tensor& t) { return t.handle().storage == h.storage; };
    const auto earlier = outputs.begin() + static_cast<std::ptrdiff_t>(k);
    if (std::any_of(inputs.begin(), inputs.end(), shares) ||
        std::any_of(outputs.begin(), earlier, shares) || y.requires_grad() ||
        !(h.layout == Layout::contiguous(h.storage->shape)))
        return false;
    if (const Recording* r = recording()) return h.storage->born == r->id;
    return h.storage.alone() && h.history.alone();
}

bool contains(const std::vector<Tensor>& list, const Tensor& t) {
    return std::any_of(list.begin(), list.end(),
                       [&](const Tensor& x) { return x.defined() && x.same(t); });
}

int place_in(const std::vector<Tensor>& list, const Tensor& t) {
    for (std::size_t i = 0; i < list.size(); ++i)
        if (list[i].defined() && list[i].same(t)) return static_cast<int>(i);
    return -1;
}

Saved saved_now(const Tensor& t) {
    return {Need::nothing, t.handle().storage, t.handle().layout, t.version()};
}

// One application, step by step: what forward gave, until it hangs on its node.
struct Application {
    Ref<Function> f;
    const std::vector<Tensor>& inputs;
    std::vector<Tensor> made;  // by forward
    std::vector<Tensor> outputs;
    std::vector<char> differentiable;
    std::vector<Tensor> others;
    std::vector<Tensor> saved;  // for each that is kept, the tensor that forward saved

    explicit Application(const std::vector<Tensor>& given) : inputs(given) {}

    void keep(const ForwardPass& pass) {
        for (const Tensor& t : pass.saved()) {
            Keeps keeps;
            const int in = t.defined() ? place_in(inputs, t) : -1;
            const int out = t.defined() ? place_in(made, t) : -1;
            if (in >= 0) {
                keeps = {Keeps::input, in};
            } else if (out >= 0) {
                keeps = {Keeps::output, out};
            } else {
                keeps = {Keeps::other, t.defined() ? static_cast<int>(others.size()) : -1};
                if (t.defined()) others.push_back(t);
            }
            f->keeps.push_back(keeps);
            saved.push_back(t);
        }
    }

    std::vector<Tensor> given() const {
        std::vector<Tensor> all = inputs;
        all.insert(all.end(), others.begin(), others.end());
        return all;
    }

    // An input to which nothing flows still has its place.
    void add_inputs(Node& node) const {
        for (const Tensor& y : outputs)
            node.inputs.push_back(Input{{}, {y.shape(), y.dtype(), y.device()}, false, {}});
        for (const Tensor& x : given())
            node.inputs.push_back(Input{x.requires_grad() ? value_of(x) : Value{},
                                        {x.shape(), x.dtype(), x.device()},
                                        false,
                                        {}});
    }

    void add_saved(Node& node) const {
        for (std::size_t k = 0; k < saved.size(); ++k) {
            const bool output = f->keeps[k].from == Keeps::output;
            const Tensor& t =
                output ? outputs[static_cast<std::size_t>(f->keeps[k].index)] : saved[k];
            node.saved.push_back(t.defined() ? saved_now(t) : Saved{});
        }
    }

    // On the tape: a node on which forward's outputs hang.
    void hang() {
        std::vector<Value> before;  // nodes of stale views come first, so that ids keep order
        for (const Tensor& x : given())
            if (x.requires_grad()) before.push_back(value_of(x));
        Ref<Node> node = new_node(ops::function, {Attr{Ref<Object>(f.get())}});
        node->requires_grad = true;
        add_inputs(*node);
        for (const Tensor& y : outputs)
            node->outputs.push_back(Desc{y.shape(), y.dtype(), y.device()});
        add_saved(*node);
        for (std::size_t k = 0; k < outputs.size(); ++k) {
            if (!differentiable[k]) continue;
            Handle& h = outputs[k].handle();
            h.seen = Value{node, static_cast<int>(k)};
            h.seen_in = 0;
            h.version = h.history->version;
            h.history->now = h.seen;
        }
        note_in_checkpoint(node);
        if (Observer* observer = thread_state().observer) observer->applied(ops::function, outputs);
    }

    // In a recording: a line, whose outputs are symbols of their own.
    void write_down() {
        std::vector<Arg> args;
        for (const Tensor& y : outputs) args.emplace_back(y);
        for (const Tensor& x : given()) args.emplace_back(x);
        const Outputs symbols = apply_all(ops::function, args, {Attr{Ref<Object>(f.get())}});
        for (int k = 0; k < symbols.size(); ++k) {
            const auto i = static_cast<std::size_t>(k);
            if (differentiable[i]) outputs[i] = symbols[k];
        }
        Node& node = *symbols[0].handle().seen.node;
        add_saved(node);
    }
};

void check_inputs(const std::string& name, const std::vector<Tensor>& inputs) {
    for (const Tensor& x : inputs)
        if (!x.defined()) fail(ErrorKind::type, name, ": an input is no tensor");
}

}  // namespace

std::string name_of(const Node& node) {
    return node.op == &ops::function ? function_of(node.attrs).name : node.op->name;
}

std::pair<int, int> applied_to(const Node& node) {
    if (node.op != &ops::function) return {0, node.inputs.size()};
    const Function& f = function_of(node.attrs);
    return {f.outputs, f.outputs + f.inputs};
}

Tensor BackwardPass::g(int k) const {
    return n_.has(k) || function_.materialize ? n_.g(k) : Tensor();
}

Tensor BackwardPass::saved(int k) const {
    const Keeps& keeps = function_.keeps[static_cast<std::size_t>(k)];
    if (keeps.index < 0) return {};
    if (keeps.from == Keeps::output)
        return n_.kept(k, Value{Ref<Node>(&n_.node()), keeps.index}, n_.output_desc(keeps.index),
                       "output");
    const int place =
        function_.outputs + keeps.index + (keeps.from == Keeps::other ? function_.inputs : 0);
    const Input& in = n_.node().inputs[place];
    return n_.kept(k, in.value, in.desc, keeps.from == Keeps::input ? "input" : "saved value");
}

std::vector<Tensor> function(const std::string& name, const Forward& forward,
                             const Function::Rule& backward, const std::vector<Tensor>& inputs,
                             Where where) {
    const Here here(where);
    check_inputs(name, inputs);
    std::vector<char> wants;
    std::vector<std::uint32_t> versions;
    bool wanted = false;
    for (const Tensor& x : inputs) {
        wants.push_back(grad_enabled() && x.requires_grad());
        versions.push_back(x.version());
        wanted = wanted || wants.back();
    }
    ForwardPass pass(wants);
    Application a(inputs);
    {
        const NoGrad mode;
        const OwnLines lines;
        a.made = forward(pass, inputs);
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i].version() != versions[i])
            fail(ErrorKind::runtime, name, ": its forward changed input ", i,
                 " in place, of which the tape would not know; clone() it first");
    for (std::size_t k = 0; k < a.made.size(); ++k) {
        const Tensor& y = a.made[k];
        if (!y.defined())
            fail(ErrorKind::type, name, ": output ", k, " of its forward is no tensor");
        a.differentiable.push_back(is_floating(y.dtype()) && !contains(pass.fixed(), y));
        const NoGrad mode;
        a.outputs.push_back(is_own(a.made, k, inputs) ? y : clone(y));
    }
    const bool any =
        std::find(a.differentiable.begin(), a.differentiable.end(), 1) != a.differentiable.end();
    if (!wanted || !any) return a.outputs;
    a.f = Ref<Function>(new Function);
    a.f->name = name;
    a.f->backward = backward;
    a.f->outputs = static_cast<int>(a.outputs.size());
    a.f->inputs = static_cast<int>(inputs.size());
    a.f->materialize = pass.materialize();
    a.keep(pass);
    if (recording())
        a.write_down();
    else
        a.hang();
    return a.outputs;
}

namespace ops {

const Op function = {.name = "function",
                     .shape = function_shape,
                     .gradient = function_gradient,
                     .cpu = alias_cpu,
                     .cuda = alias_cuda,
                     .attributes = {{"function", AttrKind::object}},
                     .alias = true,
                     .folds = false};

}  // namespace ops
}  // namespace tg
