#include "graph/trace.h"

#include <algorithm>
#include <chrono>

#include "core/history.h"
#include "core/ops/structural.h"
#include "core/state.h"
#include "kernels/parallel.h"

namespace tg {
namespace {

std::string named(const Value& read, const std::string& name) {
    const Node& node = *read.node;
    return name + ": " + text(node.outputs[0]) + at(node.where);
}

int number_of(const Storage* s, const std::vector<Tensor>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i)
        if (arguments[i].handle().storage.get() == s) return static_cast<int>(i);
    return -1;
}

// The argument that a history of the recording stands for, or -1.
int number_of(const Recording& r, const History* h, const std::vector<Tensor>& arguments) {
    const auto found = r.standing_for.find(h);
    if (found == r.standing_for.end()) return -1;
    for (std::size_t i = 0; i < arguments.size(); ++i)
        if (arguments[i].handle().history == found->second) return static_cast<int>(i);
    return -1;
}

// ---- tracing -----------------------------------------------------------------------------------

struct Tracer {
    Recording r;
    TraceState& trace;
    const std::vector<Tensor>& arguments;
    std::vector<Value> roots;
    std::vector<char> differentiable;

    std::vector<Tensor> stand_ins() {
        std::vector<Tensor> list;
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const ArgumentKey& a = trace.key.arguments[i];
            const auto storage = static_cast<std::size_t>(a.storage_of);
            const auto history = static_cast<std::size_t>(a.history_of);
            list.push_back(r.argument(arguments[i], a.layout, a.base, static_cast<int>(i),
                                      storage < i ? &list[storage] : nullptr,
                                      history < i ? &list[history] : nullptr));
        }
        return list;
    }

    int argument_with_storage(const Storage* s) const { return number_of(s, arguments); }
    int argument_of(const History* h) const { return number_of(r, h, arguments); }

    // A path through a node that a backward inside has freed cannot be walked again outside.
    bool walkable(const Value& v) const {
        if (!v.node->requires_grad) return false;
        const Tape t = tape({&v, 1}, Follow::gradients);
        return std::none_of(t.nodes.begin(), t.nodes.end(), [](const Node* n) { return n->freed; });
    }

    int add_root(const Value& v) {
        roots.push_back(v);
        differentiable.push_back(walkable(v));
        return static_cast<int>(roots.size()) - 1;
    }

    void add_results(const std::vector<Tensor>& results) {
        for (const Tensor& t : results)
            trace.results.push_back(t.defined() ? add_root(value_of(contiguous(t))) : -1);
    }

    void add_storage_commits() {
        // By index: asking for a value may meet further storages.
        for (std::size_t i = 0; i < r.storages.size(); ++i) {
            const StorageState& s = *r.storages[i];
            if (!s.written() || (s.storage->born != 0 && !s.argument)) continue;
            Commit c;
            c.to.storage = s.argument ? nullptr : s.storage;
            if (s.argument) c.to.argument = argument_with_storage(outer_of(s));
            c.writer = s.writer;
            c.written_by = s.written_by;
            trace.write_names.push_back(
                std::string(text(Desc{s.storage->shape, s.storage->dtype})) + " by " +
                s.written_by + at(s.writer));
            const std::size_t before = trace.commits.size();
            add_history_commits(s, c);
            if (trace.commits.size() > before) continue;
            c.output = add_root(s.now);
            trace.commits.push_back(c);
        }
    }

    // A history that was written with gradients on continues outside with this call.
    void add_history_commits(const StorageState& s, Commit c) {
        for (std::size_t k = 0; k < r.histories.size(); ++k) {
            const HistoryState& h = *r.histories[k];
            const int argument = argument_of(h.history.get());
            const bool older = h.history->born != r.id || argument >= 0;
            if (!older || !h.written || h.history->leaf || &r.state(h.storage) != &s) continue;
            const Value now = r.base(s.storage, h.history);
            if (!now.node->requires_grad) continue;
            c.differentiable = true;
            c.to.history = h.history;
            c.history_of = argument;
            c.output = add_root(now);
            trace.commits.push_back(c);
        }
    }

    const Storage* outer_of(const StorageState& s) const {
        for (const RecordedInput& input : r.inputs)
            if (input.value == s.first) return input.storage.get();
        return nullptr;
    }

    void add_slot_commits() {
        for (const auto& g : r.grads) {
            if (g->history->born == r.id && argument_of(g->history.get()) < 0) continue;
            TraceState::SlotGuard guard{argument_of(g->history.get()), g->history,
                                        g->present_at_start};
            if (g->read) trace.slots.push_back(guard);
            if (!g->written) continue;
            Commit c;
            c.to.slot = true;
            c.to.argument = guard.argument;
            c.to.history = g->history;
            if (g->now.defined()) c.output = add_root(value_of(contiguous(g->now)));
            trace.commits.push_back(c);
        }
    }

    // Half of a storage came as an argument, and the function met the whole.
    bool met_more_of_an_argument() const {
        return std::any_of(r.storages.begin(), r.storages.end(), [&](const auto& s) {
            return s->storage->born == 0 && argument_with_storage(s->storage.get()) >= 0;
        });
    }

    void bind_variables(const Captured& c) {
        for (int number : trace.callable->variables) {
            VariableBinding v;
            for (const auto& h : r.histories) {
                if (!h->leaf || !c.numbers.count(h->leaf.get())) continue;
                if (c.number(Value{h->leaf, 0}) != number) continue;
                v.argument = argument_of(h->history.get());
                v.handle = h->handle;
            }
            trace.variables.push_back(v);
        }
    }

    void add_guards(const Captured& c) {
        for (const auto& h : r.histories)
            if (h->handle)
                trace.handles.push_back(
                    {h->handle, h->handle->history, static_cast<bool>(h->leaf)});
        for (const auto& s : r.storages) {
            if (s->storage->born == 0) trace.captures.push_back({s->storage, -1});
            if (!s->argument || !s->captured) continue;
            const int k = argument_with_storage(outer_of(*s));
            trace.captures.push_back({arguments[static_cast<std::size_t>(k)].handle().storage, k});
        }
        trace.inputs = bindings_of(r, c, arguments);
        for (std::size_t i = 0; i < c.inputs.size(); ++i) {
            const RecordedInput& input = r.inputs[static_cast<std::size_t>(c.inputs[i])];
            if (input.kind == RecordedInput::variable)
                trace.reads.push_back(named(input.value, c.program->inputs[i].name));
        }
    }
};

}  // namespace

std::vector<Binding> bindings_of(const Recording& r, const Captured& captured,
                                 const std::vector<Tensor>& arguments) {
    std::vector<Binding> list;
    for (int i : captured.inputs) {
        const RecordedInput& input = r.inputs[static_cast<std::size_t>(i)];
        Binding b;
        if (input.kind == RecordedInput::slot) {
            b.slot = true;
            b.argument = number_of(r, input.history.get(), arguments);
            b.history = input.history;
        } else if (input.kind == RecordedInput::argument) {
            b.argument = number_of(input.storage.get(), arguments);
        } else {
            b.storage = input.storage;
        }
        list.push_back(std::move(b));
    }
    return list;
}

namespace {

// The lines inside the function are wanted, not the line of this call.
std::vector<Tensor> called_on_its_own_lines(const Compiled::Function& function,
                                            const std::vector<Tensor>& inputs) {
    const OwnLines lines;
    return function(inputs);
}

}  // namespace

std::unique_ptr<TraceState> new_trace(const std::string& name, const Where& where,
                                      const Compiled::Function& function, Executor executor,
                                      const std::vector<Tensor>& arguments, const CallKey& key) {
    const auto start = std::chrono::steady_clock::now();
    auto trace = std::make_unique<TraceState>();
    trace->key = key;
    Tracer t{{}, *trace, arguments, {}, {}};
    t.r.kind = Recording::trace;
    t.r.id = new_recording_id();
    t.r.name = name;
    t.r.opened = where;
    {
        const RecordingScope scope(&t.r);
        const std::vector<Tensor> inputs = t.stand_ins();
        try {
            t.add_results(called_on_its_own_lines(function, inputs));
        } catch (const Error& error) {
            if (error.kind == ErrorKind::interrupt || !t.met_more_of_an_argument()) throw;
        }
        if (t.met_more_of_an_argument()) {
            trace->wants_whole_storages = true;
            return trace;
        }
        t.add_storage_commits();
        t.add_slot_commits();
        const Captured captured = capture(t.r, t.roots, name);
        trace->callable = make<Callable>(captured.program, executor);
        trace->callable->differentiable = t.differentiable;
        t.bind_variables(captured);
        t.add_guards(captured);
    }
    trace->milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return trace;
}

// ---- running -----------------------------------------------------------------------------------

std::string broken_guard(const TraceState& t, const std::vector<Tensor>& arguments) {
    for (const auto& g : t.handles) {
        const bool wanted = g.handle->history == g.history && g.history->now;
        if (g.handle->history != g.history || wanted != g.requires_grad)
            return "a tensor that the function names " +
                   std::string(wanted ? "requires a gradient now" : "changed its requires_grad");
    }
    for (const auto& g : t.slots) {
        const History& h = g.argument < 0
                               ? *g.history
                               : *arguments[static_cast<std::size_t>(g.argument)].handle().history;
        if (static_cast<bool>(h.gradient()) != g.present)
            return g.present ? "a .grad that was there is None now"
                             : "a .grad that was None is there now";
    }
    for (const auto& g : t.captures)
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

namespace {

// An argument as the program sees it: its window, or its whole storage.
Tensor base_of(const Tensor& argument, const ArgumentKey& key) {
    const Handle& h = argument.handle();
    if (!key.window) return tensor_of(h.storage, Layout::contiguous(key.base));
    return tensor_of(h.storage,
                     {argument.shape(), contiguous_strides(argument.shape()), h.layout.offset});
}

const Ref<History>& slot_history(const Binding& b, const std::vector<Tensor>& arguments) {
    return b.argument < 0 ? b.history
                          : arguments[static_cast<std::size_t>(b.argument)].handle().history;
}

}  // namespace

std::vector<Tensor> bound_inputs(const CallKey& key, const std::vector<Binding>& bindings,
                                 const std::vector<Tensor>& arguments) {
    std::vector<Tensor> inputs;
    inputs.reserve(bindings.size());
    for (const Binding& b : bindings) {
        const auto i = static_cast<std::size_t>(b.argument);
        if (b.slot)
            inputs.push_back(contiguous(Tensor(slot_history(b, arguments)->gradient()).detach()));
        else if (b.argument >= 0)
            inputs.push_back(base_of(arguments[i], key.arguments[i]));
        else
            inputs.push_back(tensor_of(b.storage, Layout::contiguous(b.storage->shape)));
    }
    return inputs;
}

namespace {

std::vector<Value> bound_variables(const TraceState& t, const std::vector<Tensor>& arguments) {
    std::vector<Value> variables;
    if (!grad_enabled()) return variables;
    for (const VariableBinding& v : t.variables) {
        if (v.argument < 0) {
            variables.push_back(v.handle ? v.handle->history->now : Value{});
            continue;
        }
        const auto i = static_cast<std::size_t>(v.argument);
        const Tensor& a = arguments[i];
        variables.push_back(t.key.arguments[i].window ? value_of(a) : a.handle().history->now);
    }
    return variables;
}

// A tensor for the whole of what a commit writes.
Tensor commit_target(const TraceState& t, const Commit& c, const std::vector<Tensor>& arguments) {
    Tensor base;
    if (c.to.argument >= 0) {
        const auto i = static_cast<std::size_t>(c.to.argument);
        base = base_of(arguments[i], t.key.arguments[i]);
    } else {
        base = tensor_of(c.to.storage, Layout::contiguous(c.to.storage->shape));
    }
    if (c.differentiable)
        base.handle().history =
            c.history_of < 0 ? c.to.history
                             : arguments[static_cast<std::size_t>(c.history_of)].handle().history;
    return base;
}

// Every line has run. From here on nothing allocates for a whole variable, polls or throws, so a
// step is either taken or not.
void commit(TraceState& t, const std::vector<Tensor>& arguments, const std::vector<Tensor>& out) {
    const kernels::Uninterrupted whole;
    for (const Commit& c : t.commits) {
        const Tensor value = c.output < 0 ? Tensor{} : out[static_cast<std::size_t>(c.output)];
        if (c.to.slot) {
            slot_history(c.to, arguments)->set_gradient(value.ref());
            continue;
        }
        const GradMode mode(c.differentiable && grad_enabled());
        const Elsewhere line(c.writer);
        write(commit_target(t, c, arguments), value, c.written_by, true);
    }
}

}  // namespace

std::vector<Tensor> run_trace(TraceState& t, const std::vector<Tensor>& arguments) {
    t.calls.fetch_add(1);
    // A program that changes variables reads, computes and commits as one: two threads' steps
    // follow each other.
    std::unique_lock lock(t.commit_mutex, std::defer_lock);
    if (!t.commits.empty()) lock.lock();
    const std::vector<Tensor> out =
        call(t.callable, bound_inputs(t.key, t.inputs, arguments), bound_variables(t, arguments));
    commit(t, arguments, out);
    std::vector<Tensor> results;
    for (int k : t.results) results.push_back(k < 0 ? Tensor{} : out[static_cast<std::size_t>(k)]);
    return results;
}

}  // namespace tg
