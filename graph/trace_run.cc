// A call of what was traced: do its guards hold, what goes in, and what it leaves behind.
#include <algorithm>

#include "core/gradient.h"
#include "core/history.h"
#include "core/hooks.h"
#include "graph/commit_lock.h"
#include "graph/trace.h"
#include "kernels/parallel.h"

namespace tg {

// ---- guards ------------------------------------------------------------------------------------
namespace {

std::string broken_handle(const TraceState& t) {
    for (const TraceState::HandleGuard& g : t.handles) {
        const bool wanted = wanted_outside(*g.handle);
        if (g.handle->history == g.history && wanted == g.requires_grad) {
            if (hooks_on(*g.handle) == g.hooks) continue;
            return "a tensor that the function names has other hooks now";
        }
        return "a tensor that the function names " +
               std::string(wanted ? "requires a gradient now" : "changed its requires_grad");
    }
    return "";
}

std::string broken_slot(const TraceState& t, Given& given) {
    for (const TraceState::SlotGuard& g : t.slots) {
        const Tensor now = g.gradient.in(given)->get();
        const bool present = g.named || g.number >= 0;
        if (now.defined() != present)
            return present ? "a .grad that was there is None now"
                           : "a .grad that was None is there now";
        if (g.named && !(now.ref() == g.named))
            return "a .grad that the function also names itself is another tensor now";
        if (g.number < 0) continue;
        const auto i = static_cast<std::size_t>(g.number);
        given.push_back(now);
        const bool whole_storages = !t.given[i].window;
        if (!(key_of(std::span<const Tensor>(given), i, whole_storages) == t.given[i]))
            return "a .grad has another layout, or shares memory otherwise than before";
    }
    return "";
}

std::string broken_capture(const TraceState& t, const Given& given) {
    for (const TraceState::CaptureGuard& g : t.captures)
        for (std::size_t i = 0; i < given.size(); ++i) {
            const bool is = given[i].handle().storage == g.storage;
            const bool was = t.given[i].storage_of == g.number;
            if (is == was) continue;
            const bool argument = i < t.key.arguments.size();
            return (argument ? "argument " + std::to_string(i) : std::string("a .grad")) +
                   (is ? " is a tensor that the function names itself"
                       : " is no longer the tensor that the function names itself");
        }
    return "";
}

std::string broken_fact(const TraceState& t) {
    for (const Fact& fact : t.facts)
        if (*fact.now != fact.then) return fact.changed;
    return "";
}

}  // namespace

std::string broken_guard(const TraceState& t, Given& given) {
    std::string broken = broken_handle(t);
    if (broken.empty()) broken = broken_slot(t, given);
    if (broken.empty()) broken = broken_capture(t, given);
    if (broken.empty()) broken = broken_fact(t);
    return broken;
}

// ---- running -----------------------------------------------------------------------------------

// A storage as the program sees it, whole or a window, by a tensor with no history of its own yet.
Tensor base_of(const OuterStorage& s, const std::vector<GivenKey>& keys, const Given& given) {
    if (s.number < 0) return tensor_of(s.named, Layout::contiguous(s.named->shape));
    const GivenKey& key = keys[static_cast<std::size_t>(s.number)];
    Layout layout = Layout::contiguous(key.base);
    if (key.window) layout.offset = handle_of(given, s.number).layout.offset;
    return tensor_of(s.in(given), layout);
}

std::vector<Tensor> bound_inputs(const std::vector<OuterStorage>& inputs,
                                 const std::vector<GivenKey>& keys, const Given& given) {
    std::vector<Tensor> list;
    list.reserve(inputs.size());
    for (const OuterStorage& s : inputs) list.push_back(base_of(s, keys, given));
    return list;
}

namespace {

std::vector<Value> bound_variables(const TraceState& t, const Given& given) {
    std::vector<Value> variables;
    if (!grad_enabled()) return variables;
    for (std::size_t i = 0; i < t.variables.size(); ++i) {
        const VariableBinding& v = t.variables[i];
        const auto number = static_cast<std::size_t>(t.callable->variables[i]);
        variables.push_back(v.is_base       ? v.base_of.in(given)->now
                            : v.named       ? value_outside(*v.named)
                            : v.number >= 0 ? value_outside(handle_of(given, v.number))
                                            : new_leaf(t.callable->written->values[number]));
    }
    return variables;
}

template <class T>
const T& nth(const std::vector<T>& list, int i) {
    return list[static_cast<std::size_t>(i)];
}

void set_history(Handle& h, const NewTensor& n, const CallEnd& end) {
    if (n.outer) h.history = n.outer->in(end.given);
    if (n.history >= 0) h.history = nth(end.outputs, n.history).handle().history;
    if (n.shares >= 0) h.history = nth(end.made, n.shares).handle().history;
    h.version = h.history->version;
    if (n.shows == NewTensor::base) h.version -= 1;  // stale: it is a view of what is there
    if (n.shows == NewTensor::own_node) h.seen = nth(end.outputs, n.node).handle().seen;
}

Tensor new_tensor(const NewTensor& n, const CallEnd& end) {
    const Tensor base =
        n.bytes >= 0 ? nth(end.outputs, n.bytes) : base_of(n.storage, end.trace.given, end.given);
    Layout layout = n.layout;
    layout.offset += base.handle().layout.offset;
    Tensor t = tensor_of(base.handle().storage, layout);
    if (n.leaf) {
        const bool used = n.variable >= 0 && !end.variables.empty();
        make_leaf(t, used ? nth(end.variables, n.variable).node : Ref<Node>{});
    } else {
        set_history(t.handle(), n, end);
    }
    if (n.retains && t.requires_grad()) t.retain_grad();
    return t;
}

}  // namespace

void CallEnd::make_tensors() {
    for (const NewTensor& n : trace.made) made.push_back(new_tensor(n, *this));
}

Tensor CallEnd::result(const Result& r) const {
    if (r.output >= 0) return nth(outputs, r.output);
    if (r.made >= 0) return nth(made, r.made);
    return r.is ? r.is->in(given) : Tensor{};
}

GradientRef CallEnd::place(const GradientCommit& c) const {
    return c.of_made < 0 ? c.to.in(given) : gradient_of(nth(made, c.of_made));
}

namespace {

// Every line has run. From here on nothing allocates for a whole variable, polls or throws, so a
// step is either taken or not.
void commit(CallEnd& end) {
    const TraceState& t = end.trace;
    const Given& given = end.given;
    const std::vector<Tensor>& out = end.outputs;
    const kernels::Uninterrupted whole;
    for (const Commit& c : t.commits) {
        const GradMode mode(c.differentiable && grad_enabled());
        const Elsewhere line(c.writer);
        const Tensor target = base_of(c.to, t.given, given);
        if (c.differentiable) {
            const Ref<History>& history = c.history.in(given);
            target.handle().history = history;
            target.handle().version = history->version - 1;  // stale: it is a view of what is there
        }
        write(target, out[static_cast<std::size_t>(c.output)], c.written_by, true);
    }
    for (const HandleCommit& c : t.views) {
        const Tensor of = c.of.in(given);
        Handle& h = of.handle();
        const Value& seen = out[static_cast<std::size_t>(c.output)].handle().seen;
        if (!seen) continue;
        h.seen = seen;
        h.seen_in = 0;
        h.version = h.history->version;
        if (h.retained) retain_from(of);
    }
    end.make_tensors();
    for (const GradientCommit& c : t.gradients) end.place(c)->set(end.result(c.value));
}

std::vector<const void*> changed_by(const TraceState& t, const Given& given) {
    std::vector<const void*> changed;
    for (const Commit& c : t.commits) changed.push_back(c.to.in(given).get());
    for (const GradientCommit& c : t.gradients)
        if (c.of_made < 0) changed.push_back(c.to.in(given).get());
    return changed;
}

}  // namespace

std::optional<std::vector<Tensor>> run_trace(TraceState& t, const std::vector<Tensor>& arguments,
                                             Given given) {
    std::optional<CommitLock> lock;
    if (t.changes_variables()) {
        const std::vector<const void*> changed = changed_by(t, given);
        lock.emplace(changed, t.callable->written->name);
        // Another thread's step may have come between.
        given = arguments;
        if (!broken_guard(t, given).empty() || changed_by(t, given) != changed) return std::nullopt;
    }
    t.calls.fetch_add(1);
    // Under no_grad too: what enable_grad inside has made differentiable is so outside.
    const auto& differentiable = t.callable->differentiable;
    const GradMode mode(
        std::any_of(differentiable.begin(), differentiable.end(), [](char d) { return d != 0; }));
    const std::vector<Value> variables = bound_variables(t, given);
    const std::vector<Tensor> out =
        call(t.callable, bound_inputs(t.inputs, t.given, given), variables);
    CallEnd end{t, given, out, variables};
    commit(end);
    std::vector<Tensor> results;
    for (const Result& r : t.results) results.push_back(end.result(r));
    return results;
}

}  // namespace tg
