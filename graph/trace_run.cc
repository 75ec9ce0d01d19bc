// A call of what was traced: do its guards hold, what goes in, and what it leaves behind.
#include <algorithm>

#include "core/history.h"
#include "core/hooks.h"
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

std::string broken_slot(const TraceState& t, const std::vector<Tensor>& arguments) {
    for (const TraceState::SlotGuard& g : t.slots)
        if (static_cast<bool>(g.grad_of.in(arguments)->gradient()) != g.present)
            return g.present ? "a .grad that was there is None now"
                             : "a .grad that was None is there now";
    return "";
}

std::string broken_capture(const TraceState& t, const std::vector<Tensor>& arguments) {
    for (const TraceState::CaptureGuard& g : t.captures)
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const bool is = arguments[i].handle().storage == g.storage;
            const bool was = t.key.arguments[i].storage_of == g.argument;
            if (is != was)
                return "argument " + std::to_string(i) +
                       (is ? " is a tensor that the function names itself"
                           : " is no longer the tensor that the function names itself");
        }
    return "";
}

}  // namespace

std::string broken_guard(const TraceState& t, const std::vector<Tensor>& arguments) {
    std::string broken = broken_handle(t);
    if (broken.empty()) broken = broken_slot(t, arguments);
    if (broken.empty()) broken = broken_capture(t, arguments);
    return broken;
}

// ---- running -----------------------------------------------------------------------------------
namespace {

// A storage as the program sees it, whole or an argument's window, by a tensor with no history of
// its own yet.
Tensor base_of(const OuterStorage& s, const CallKey& key, const std::vector<Tensor>& arguments) {
    if (s.argument < 0) return tensor_of(s.named, Layout::contiguous(s.named->shape));
    const ArgumentKey& a = key.arguments[static_cast<std::size_t>(s.argument)];
    Layout layout = Layout::contiguous(a.base);
    if (a.window) layout.offset = handle_of(arguments, s.argument).layout.offset;
    return tensor_of(s.in(arguments), layout);
}

}  // namespace

std::vector<Tensor> bound_inputs(const CallKey& key, const std::vector<Binding>& bindings,
                                 const std::vector<Tensor>& arguments) {
    std::vector<Tensor> inputs;
    inputs.reserve(bindings.size());
    for (const Binding& b : bindings)
        inputs.push_back(b.slot ? contiguous(Tensor(b.grad_of.in(arguments)->gradient()).detach())
                                : base_of(b.bytes, key, arguments));
    return inputs;
}

namespace {

std::vector<Value> bound_variables(const TraceState& t, const std::vector<Tensor>& arguments) {
    std::vector<Value> variables;
    if (!grad_enabled()) return variables;
    for (const VariableBinding& v : t.variables)
        variables.push_back(v.is_base         ? v.base_of.in(arguments)->now
                            : v.named         ? value_outside(*v.named)
                            : v.argument >= 0 ? value_outside(handle_of(arguments, v.argument))
                                              : Value{});  // a leaf of the function's own
    return variables;
}

// Every line has run. From here on nothing allocates for a whole variable, polls or throws, so a
// step is either taken or not.
void commit(TraceState& t, const std::vector<Tensor>& arguments, const std::vector<Tensor>& out) {
    const kernels::Uninterrupted whole;
    for (const Commit& c : t.commits) {
        const Tensor value = c.output < 0 ? Tensor{} : out[static_cast<std::size_t>(c.output)];
        if (c.to.slot && !c.in_place) {
            c.to.grad_of.in(arguments)->set_gradient(value.ref());
            continue;
        }
        const GradMode mode(c.differentiable && grad_enabled());
        const Elsewhere line(c.writer);
        const Tensor target = c.in_place ? Tensor(c.to.grad_of.in(arguments)->gradient())
                                         : base_of(c.to.bytes, t.key, arguments);
        if (c.differentiable) target.handle().history = c.history.in(arguments);
        write(target, value, c.written_by, true);
    }
}

}  // namespace

std::optional<std::vector<Tensor>> run_trace(TraceState& t, const std::vector<Tensor>& arguments) {
    // A program that changes variables reads, computes and commits as one: two threads' steps
    // follow each other.
    CommitLock& commits = *t.commit_lock;
    std::unique_lock lock(commits.mutex, std::defer_lock);
    if (!t.commits.empty()) {
        if (commits.holder == std::this_thread::get_id())
            fail(ErrorKind::runtime, t.callable->written->name,
                 ": is called again, by a signal's handler, in the middle of its own step");
        lock.lock();
        commits.holder = std::this_thread::get_id();
    }
    const struct Done {
        std::atomic<std::thread::id>& by;
        bool held;
        ~Done() {
            if (held) by = std::thread::id{};
        }
    } done{commits.holder, lock.owns_lock()};
    if (lock.owns_lock() && !broken_guard(t, arguments).empty()) return std::nullopt;
    t.calls.fetch_add(1);
    // Under no_grad too: what enable_grad inside has made differentiable is so outside.
    const auto& differentiable = t.callable->differentiable;
    const GradMode mode(
        std::any_of(differentiable.begin(), differentiable.end(), [](char d) { return d != 0; }));
    const std::vector<Tensor> out =
        call(t.callable, bound_inputs(t.key, t.inputs, arguments), bound_variables(t, arguments));
    commit(t, arguments, out);
    std::vector<Tensor> results;
    for (int k : t.results) results.push_back(k < 0 ? Tensor{} : out[static_cast<std::size_t>(k)]);
    return results;
}

}  // namespace tg
