// A trace is one call of the function with symbols in place of its arguments, the stand-ins: every
// op is written down instead of run. Two things stay of it, a program, and ties to the tensors
// outside. Here are both for a training step whose w.grad is there already:
//
//     def step(x):                       compiled = tg.compile(step)
//         loss = (x * w).sum()           compiled(batch)
//         loss.backward()
//         with tg.no_grad():
//             w.sub_(0.5 * w.grad)
//         return loss
//
//     outside                tie                         the program
//     batch, argument 0 ---> inputs[0], by number -----> %0 = argument x0
//     w's bytes -----------> inputs[1] ----------------> %1 = variable w1
//     w.grad --------------> inputs[2], a slot --------> %2 = slot grad2
//     w's value -----------> variables[0] -------------> %3 = leaf %1
//                                                        %4 = mul %0 %3
//                                                        %5 = sum %4                loss
//                                                        ...                        %9: dL/dw
//                                                        %10 = add %2 %9            w.grad
//                                                        %11 = mul 0.5 %10
//                                                        %12 = sub %3 %11           w
//     the call's result <--- results[0], output 0 <----- return %5
//     w's bytes <----------- commits[0], output 1 <-----        %12
//     w.grad <-------------- commits[1], output 2 <-----        %10
//
// Guards are what the program took for granted. A call at which one is broken traces again:
//
//     handles[0]     w is the leaf that it was
//     slots[0]       w.grad is there: it was read before it was set
//     captures[0]    w is not an argument: else %0 and %1 would be the same bytes
//
// Who points to whom: a TraceState holds the program, and of the tensors outside only those that
// the function names itself (w). The program holds no tensor. Arguments are looked up by number
// at each call. The recording and its stand-ins are gone when the trace is made.
#include "graph/trace.h"

#include <algorithm>
#include <chrono>

#include "core/function.h"
#include "core/history.h"
#include "core/hooks.h"
#include "core/state.h"
#include "kernels/parallel.h"

namespace tg {

// ---- ties to the tensors outside ---------------------------------------------------------------

Handle& handle_of(const std::vector<Tensor>& arguments, int number) {
    return arguments[static_cast<std::size_t>(number)].handle();
}

const Ref<Storage>& OuterStorage::in(const std::vector<Tensor>& arguments) const {
    return argument < 0 ? named : handle_of(arguments, argument).storage;
}

const Ref<History>& OuterHistory::in(const std::vector<Tensor>& arguments) const {
    return argument < 0 ? named : handle_of(arguments, argument).history;
}

ArgumentTable::ArgumentTable(const std::vector<Tensor>& arguments,
                             const std::vector<Tensor>& stand_ins) {
    for (std::size_t i = 0; i < arguments.size(); ++i)
        for (const Tensor* t : {&arguments[i], &stand_ins[i]}) {
            // Does nothing where an earlier argument has it too.
            by_storage_.emplace(t->handle().storage.get(), static_cast<int>(i));
            by_history_.emplace(t->handle().history.get(), static_cast<int>(i));
        }
}

int ArgumentTable::number_of(const Storage* storage) const {
    const auto found = by_storage_.find(storage);
    return found == by_storage_.end() ? -1 : found->second;
}

int ArgumentTable::number_of(const History* history) const {
    const auto found = by_history_.find(history);
    return found == by_history_.end() ? -1 : found->second;
}

OuterStorage ArgumentTable::outside(const Ref<Storage>& storage) const {
    const int argument = number_of(storage.get());
    return {argument, argument < 0 ? storage : Ref<Storage>{}};
}

OuterHistory ArgumentTable::outside(const Ref<History>& history) const {
    const int argument = number_of(history.get());
    return {argument, argument < 0 ? history : Ref<History>{}};
}

std::vector<Binding> bindings_of(const Recording& r, const Captured& captured,
                                 const ArgumentTable& table) {
    std::vector<Binding> list;
    for (int i : captured.inputs) {
        const RecordedInput& input = r.inputs[static_cast<std::size_t>(i)];
        Binding b;
        if (input.kind == RecordedInput::slot) {
            b.slot = true;
            b.grad_of = table.outside(input.history);
        } else if (input.kind == RecordedInput::argument) {
            b.bytes = table.outside(input.storage);
        } else {
            b.bytes.named = input.storage;
        }
        list.push_back(std::move(b));
    }
    return list;
}

// ---- tracing -----------------------------------------------------------------------------------
namespace {

// What new_trace does, step by step.
struct Tracer {
    Recording r;
    TraceState& trace;
    const std::vector<Tensor>& arguments;
    ArgumentTable table;
    std::vector<Value> outputs;        // of the program, in order: results, then commits
    std::vector<char> differentiable;  // by output

    Tracer(TraceState& made, const std::vector<Tensor>& given) : trace(made), arguments(given) {}

    std::vector<Tensor> stand_ins() {
        std::vector<Tensor> list;
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const ArgumentKey& a = trace.key.arguments[i];
            const auto storage = static_cast<std::size_t>(a.storage_of);
            const auto history = static_cast<std::size_t>(a.history_of);
            list.push_back(
                r.argument(arguments[i], {.number = static_cast<int>(i),
                                          .window = a.window,
                                          .layout = a.layout,
                                          .base = a.base,
                                          .same_storage = storage < i ? &list[storage] : nullptr,
                                          .same_history = history < i ? &list[history] : nullptr}));
        }
        return list;
    }

    void call_function(const Compiled::Function& function, const std::vector<Tensor>& inputs) {
        try {
            add_results(called_on_its_own_lines(function, inputs));
        } catch (const Error& error) {
            // A window beside its whole storage may be what it stumbled over: it is called again,
            // with whole storages.
            if (error.kind == ErrorKind::interrupt || !met_more_of_an_argument()) throw;
        }
    }

    // The lines inside the function are wanted, not the line of this call.
    static std::vector<Tensor> called_on_its_own_lines(const Compiled::Function& function,
                                                       const std::vector<Tensor>& inputs) {
        const OwnLines lines;
        return function(inputs);
    }

    // A window came as an argument, and the function names the storage that it is cut from.
    bool met_more_of_an_argument() const {
        return std::any_of(r.storages.begin(), r.storages.end(), [&](const auto& s) {
            return s->storage->born == 0 && table.number_of(s->storage.get()) >= 0;
        });
    }

    void add_results(const std::vector<Tensor>& results) {
        for (const Tensor& t : results)
            trace.results.push_back(t.defined() ? add_output(value_of(contiguous(t))) : -1);
    }

    int add_output(const Value& v) {
        outputs.push_back(v);
        differentiable.push_back(walkable(v));
        return static_cast<int>(outputs.size()) - 1;
    }

    // A path through a node that a backward inside has freed cannot be walked again outside.
    static bool walkable(const Value& v) {
        if (!v.node->requires_grad) return false;
        const Tape t = tape({&v, 1}, Follow::gradients);
        const auto walked = [](const Node* n) {
            return n->recording != 0 &&
                   (n->freed || (n->extras && n->extras->ran && hooks_on(*n) != 0));
        };
        if (std::any_of(t.nodes.begin(), t.nodes.end(), walked)) return false;
        for (const Node* n : t.nodes) refuse_hooks(*n);
        return true;
    }

    // A hook was called here, on symbols, or never will be: the call's gradient is made from the
    // program, which has none.
    static void refuse_hooks(const Node& node) {
        if (node.recording == 0 || hooks_on(node) == 0) return;
        fail(ErrorKind::runtime, recording()->name, ": a hook was registered on the result of ",
             name_of(node), at(node.where),
             ", but the gradient is taken outside of it, where the hook is not; call backward "
             "inside, or use a Function");
    }

    void add_storage_commits() {
        // By index: asking for a value may meet further storages.
        for (std::size_t i = 0; i < r.storages.size(); ++i) {
            const StorageState& s = *r.storages[i];
            const bool outlives_the_call = s.argument || s.storage->born == 0;
            if (!s.written() || !outlives_the_call) continue;
            Commit c;
            c.to.bytes = table.outside(s.storage);
            c.writer = s.writer;
            c.written_by = s.written_by;
            trace.write_names.push_back(
                std::string(text(Desc{s.storage->shape, s.storage->dtype})) + " by " +
                s.written_by + at(s.writer));
            if (add_history_commits(s, c)) continue;
            c.output = add_output(s.now);
            trace.commits.push_back(c);
        }
    }

    // A history that was written with gradients on continues outside with this call's node. Says
    // whether there is one; its commit then also moves the bytes.
    bool add_history_commits(const StorageState& s, Commit c) {
        bool any = false;
        for (std::size_t k = 0; k < r.histories.size(); ++k) {
            const HistoryState& h = *r.histories[k];
            const bool made_inside =
                h.history->born == r.id && table.number_of(h.history.get()) < 0;
            if (made_inside || h.written_at == 0 || h.history->leaf || &r.state(h.storage) != &s)
                continue;
            const Value now = r.base(s.storage, h.history);
            if (!now.node->requires_grad) continue;
            c.differentiable = true;
            c.history = table.outside(h.history);
            c.output = add_output(now);
            trace.commits.push_back(c);
            any = true;
        }
        return any;
    }

    // w.grad.zero_() sets no .grad: it writes into the one that was there.
    bool written_in_place(const GradState& g) {
        return !g.written && g.now.defined() && r.state(g.now.handle().storage).written();
    }

    void add_slots() {
        for (const auto& g : r.grads) {
            const OuterHistory grad_of = table.outside(g->history);
            if (grad_of.argument < 0 && g->history->born == r.id) continue;
            if (g->read) trace.slots.push_back({grad_of, g->present_at_start});
            const bool in_place = written_in_place(*g);
            if (!g->written && !in_place) continue;
            Commit c;
            c.in_place = in_place;
            if (in_place) {
                const StorageState& s = r.state(g->now.handle().storage);
                c.writer = s.writer;
                c.written_by = s.written_by;
            }
            c.to.slot = true;
            c.to.grad_of = grad_of;
            if (g->now.defined()) c.output = add_output(value_of(contiguous(g->now)));
            trace.commits.push_back(c);
        }
    }

    void make_program(Executor executor) {
        const Captured captured = capture(r, outputs, r.name);
        trace.callable = make<Callable>(captured.program, executor);
        trace.callable->differentiable = differentiable;
        bind_inputs(captured);
        bind_variables(captured);
    }

    void bind_inputs(const Captured& captured) {
        trace.inputs = bindings_of(r, captured, table);
        for (std::size_t i = 0; i < captured.inputs.size(); ++i) {
            const RecordedInput& input = r.inputs[static_cast<std::size_t>(captured.inputs[i])];
            if (input.kind != RecordedInput::variable) continue;
            const Node& read = *input.value.node;
            trace.reads.push_back(captured.program->inputs[i].name + ": " + text(read.outputs[0]) +
                                  at(read.where));
        }
    }

    void bind_variables(const Captured& captured) {
        for (int number : trace.callable->variables)
            for (const LeafLine& leaf : r.leaves) {
                if (!captured.numbers.count(leaf.line.get())) continue;
                if (captured.number(Value{leaf.line, 0}) != number) continue;
                VariableBinding v{leaf.argument, leaf.named};
                v.is_base = static_cast<bool>(leaf.base_of);
                if (v.is_base) v.base_of = table.outside(leaf.base_of);
                trace.variables.push_back(v);
            }
    }

    void add_guards() {
        for (const auto& [handle, older] : r.older)
            if (handle->storage->born == 0)
                trace.handles.push_back(
                    {older.handle, handle->history, older.requires_grad, hooks_on(*handle)});
        for (const auto& s : r.storages) {
            const OuterStorage outer = table.outside(s->storage);
            if (s->storage->born == 0 || (s->argument && s->captured))
                trace.captures.push_back({outer.in(arguments), outer.argument});
        }
    }
};

}  // namespace

std::unique_ptr<TraceState> new_trace(const std::string& name, const Where& where,
                                      const Compiled::Function& function, Executor executor,
                                      const std::vector<Tensor>& arguments, const CallKey& key) {
    const auto start = std::chrono::steady_clock::now();
    auto trace = std::make_unique<TraceState>();
    trace->key = key;
    Tracer t(*trace, arguments);
    t.r.kind = Recording::trace;
    t.r.id = new_recording_id();
    t.r.name = name;
    t.r.opened = where;
    {
        const RecordingScope scope(&t.r);
        const std::vector<Tensor> inputs = t.stand_ins();
        t.table = ArgumentTable(arguments, inputs);
        t.call_function(function, inputs);
        if (t.met_more_of_an_argument()) {
            trace->wants_whole_storages = true;
            return trace;
        }
        t.add_storage_commits();
        t.add_slots();
        t.make_program(executor);
        t.add_guards();
    }
    trace->milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return trace;
}

}  // namespace tg
