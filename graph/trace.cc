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
//     batch, given 0 ------> inputs[0], by number -----> %0 = argument x0
//     w's bytes -----------> inputs[1] ----------------> %1 = variable w1
//     w.grad, given 1 -----> inputs[2], by number -----> %2 = slot grad2
//     w's value -----------> variables[0] -------------> %3 = leaf %1
//                                                        %4 = mul %0 %3
//                                                        %5 = sum %4                loss
//                                                        ...                        %9: dL/dw
//                                                        %10 = add %2 %9            w.grad
//                                                        %11 = mul 0.5 %10
//                                                        %12 = sub %3 %11           w
//     the call's result <--- results[0], output 0 <----- return %5
//     w's bytes <----------- commits[0], output 1 <-----        %12
//     w.grad <------------ gradients[0], output 2 <-----        %10
//
// Guards are what the program took for granted. A call at which one is broken traces again:
//
//     handles[0]     w is the leaf that it was
//     slots[0]       w.grad is there, for it was read before it was set, and shares its memory with
//                    no other that is given
//     captures[0]    w is neither of the two: else %0 and %1, say, would be the same bytes
//     facts          none here; for a network with dropout, that it is in training
//
// Who points to whom: a TraceState holds the program, and of the tensors outside only those that
// the function names itself (w). The program holds no tensor. What is given is looked up by number
// at each call. The recording and its stand-ins are gone when the trace is made.
#include "graph/trace.h"

#include <algorithm>
#include <chrono>

#include "core/function.h"
#include "core/history.h"
#include "core/hooks.h"
#include "core/state.h"
#include "graph/results.h"

namespace tg {

// ---- ties to the tensors outside ---------------------------------------------------------------

Handle& handle_of(const Given& given, int number) {
    return given[static_cast<std::size_t>(number)].handle();
}

const Ref<Storage>& OuterStorage::in(const Given& given) const {
    return number < 0 ? named : handle_of(given, number).storage;
}

const Ref<History>& OuterHistory::in(const Given& given) const {
    return number < 0 ? named : handle_of(given, number).history;
}

Tensor OuterTensor::in(const Given& given) const {
    return named ? Tensor(named) : given[static_cast<std::size_t>(number)];
}

GradientRef OuterGradient::in(const Given& given) const {
    return number < 0 ? named : gradient_of(given[static_cast<std::size_t>(number)]);
}

Outside::Outside(const Recording& r) {
    for (std::size_t i = 0; i < r.given.size(); ++i) {
        const auto number = static_cast<int>(i);
        for (const Tensor* t : {&r.given[i], &r.stand_ins[i]}) {
            // Does nothing where an earlier one has it too.
            by_storage_.emplace(t->handle().storage.get(), number);
            by_history_.emplace(t->handle().history.get(), number);
        }
    }
}

template <class Key>
static int number_in(const std::unordered_map<const Key*, int>& numbers, const Key* key) {
    const auto found = numbers.find(key);
    return found == numbers.end() ? -1 : found->second;
}

int Outside::number_of(const Storage* storage) const { return number_in(by_storage_, storage); }
int Outside::number_of(const History* history) const { return number_in(by_history_, history); }

OuterStorage Outside::outside(const Ref<Storage>& storage) const {
    const int number = number_of(storage.get());
    return {number, number < 0 ? storage : Ref<Storage>{}};
}

OuterHistory Outside::outside(const Ref<History>& history) const {
    const int number = number_of(history.get());
    return {number, number < 0 ? history : Ref<History>{}};
}

std::vector<OuterStorage> inputs_of(const Recording& r, const Captured& captured,
                                    const Outside& outside) {
    std::vector<OuterStorage> list;
    for (int i : captured.inputs) {
        const RecordedInput& input = r.inputs[static_cast<std::size_t>(i)];
        list.push_back(input.kind == RecordedInput::variable ? OuterStorage{-1, input.storage}
                                                             : outside.outside(input.storage));
    }
    return list;
}

// ---- tracing -----------------------------------------------------------------------------------
namespace {

// What new_trace does, step by step.
struct Tracer {
    Recording r;
    TraceState& trace;
    std::vector<Tensor> returned;  // by the function
    ProgramOutputs outputs;        // of the program: results, then commits

    explicit Tracer(TraceState& state) : trace(state) {}

    void give(const std::vector<Tensor>& arguments) {
        for (std::size_t i = 0; i < arguments.size(); ++i)
            r.stand_in(arguments[i], RecordedInput::argument, trace.key.arguments[i]);
    }

    void call_function(const Compiled::Function& function) {
        try {
            const bool mode = grad_enabled();
            returned = called_on_its_own_lines(function, r.stand_ins);
            if (grad_enabled() == mode) return;
            set_grad_enabled(mode);
            fail(ErrorKind::runtime, r.name,
                 ": leaves set_grad_enabled changed, which would happen only while it is traced; "
                 "use it as a context, with set_grad_enabled(...):, or call it outside");
        } catch (const Error& error) {
            // A window beside its whole storage may be what it stumbled over: it is called again,
            // with whole storages.
            if (error.kind == ErrorKind::interrupt || !met_more_of_what_is_given()) throw;
        }
    }

    // The lines inside the function are wanted, not the line of this call.
    static std::vector<Tensor> called_on_its_own_lines(const Compiled::Function& function,
                                                       const std::vector<Tensor> inputs) {
        const OwnLines lines;
        return function(inputs);
    }

    bool is_outside(const Storage& s) const { return !s.symbol && !r.made(s); }

    // A window was given, and the function names the storage that it is cut from.
    bool met_more_of_what_is_given() const {
        const Outside outside(r);
        return r.wants_whole_storages ||
               std::any_of(r.storages.begin(), r.storages.end(), [&](const auto& s) {
                   return is_outside(*s->storage) && outside.number_of(s->storage.get()) >= 0;
               });
    }

    void add_results(Results& results) {
        for (const Tensor& t : returned) results.expect(t);
        for (const auto& g : r.grads)
            if (g->written) results.expect(g->now);
        for (const Tensor& t : returned) trace.results.push_back(results.of(t));
    }

    void add_storage_commits(const Outside& outside) {
        // By index: asking for a value may meet further storages.
        for (std::size_t i = 0; i < r.storages.size(); ++i) {
            const StorageState& s = *r.storages[i];
            const bool outlives_the_call = s.given || is_outside(*s.storage);
            if (!s.written() || !outlives_the_call) continue;
            Commit c;
            c.to = outside.outside(s.storage);
            c.writer = s.writer;
            c.written_by = s.written_by;
            trace.write_names.push_back(
                std::string(text(Desc{s.storage->shape, s.storage->dtype})) + " by " +
                s.written_by + at(s.writer));
            if (add_history_commits(s, c, outside)) continue;
            c.output = outputs.add(s.now);
            trace.commits.push_back(c);
        }
    }

    // A history that was written with gradients on continues outside with this call's node. Says
    // whether there is one; its commit then also moves the bytes.
    bool add_history_commits(const StorageState& s, Commit c, const Outside& outside) {
        bool any = false;
        for (std::size_t k = 0; k < r.histories.size(); ++k) {
            const HistoryState& h = *r.histories[k];
            const bool made_inside =
                h.history->born == r.id && outside.number_of(h.history.get()) < 0;
            if (made_inside || h.written_at == 0 || h.history->leaf || &r.state(h.storage) != &s)
                continue;
            const Value now = r.base(s.storage, h.history);
            if (!now.node->requires_grad) continue;
            c.differentiable = true;
            c.history = outside.outside(h.history);
            c.output = outputs.add(now);
            trace.commits.push_back(c);
            any = true;
        }
        return any;
    }

    void add_handle_commits() {
        std::vector<std::pair<Value, HandleCommit>> list;
        const auto add = [&](const Value& seen, std::uint32_t version, const Ref<History>& history,
                             const OuterTensor& of) {
            const auto found = r.by_history.find(history.get());
            if (!seen || found == r.by_history.end() || history->leaf) return;
            const HistoryState& h = *found->second;
            const Value& way = goes_to(seen);
            const bool is_its_own = h.written_at != 0 && version >= h.written_at &&
                                    way.node->requires_grad && way != goes_to(h.now);
            if (is_its_own) list.push_back({way, {of, -1}});
        };
        for (const auto& [handle, older] : r.older)
            if (is_outside(*handle->storage))
                add(older.seen, older.version, handle->history, {.named = older.handle});
        for (std::size_t i = 0; i < r.stand_ins.size(); ++i) {
            const Handle& h = r.stand_ins[i].handle();
            add(h.seen, h.version, h.history, {.number = static_cast<int>(i)});
        }
        std::sort(list.begin(), list.end(),
                  [](const auto& a, const auto& b) { return a.first.node->id < b.first.node->id; });
        for (auto& [value, to] : list) {
            to.output = outputs.add(value);
            trace.views.push_back(to);
        }
    }

    void add_gradients(Results& results) {
        for (const auto& g : r.grads) {
            if (g->gradient->born == r.id) continue;
            const OuterGradient gradient{g->of, g->of < 0 ? g->gradient : GradientRef{}};
            if (g->read) trace.slots.push_back({gradient, g->given, g->named});
            if (g->written) trace.gradients.push_back({gradient, -1, results.of(g->now)});
        }
        for (GradientCommit& c : results.gradients_of_made())
            trace.gradients.push_back(std::move(c));
        trace.made = std::move(results.made);
    }

    void make_program(Executor executor, const Outside& outside, const Results& results) {
        const Captured captured = capture(r, outputs.values(), r.name);
        trace.callable = make<Callable>(captured.program, executor);
        trace.callable->differentiable = outputs.differentiable();
        bind_inputs(captured, outside);
        bind_variables(captured, outside, results);
    }

    void bind_inputs(const Captured& captured, const Outside& outside) {
        trace.inputs = inputs_of(r, captured, outside);
        for (const OuterStorage& s : trace.inputs)
            trace.callable->overwritten.push_back(
                std::any_of(trace.commits.begin(), trace.commits.end(),
                            [&](const Commit& c) { return c.to == s; }));
        for (std::size_t i = 0; i < captured.inputs.size(); ++i) {
            const RecordedInput& input = r.inputs[static_cast<std::size_t>(captured.inputs[i])];
            if (input.kind != RecordedInput::variable) continue;
            const Node& read = *input.value.node;
            trace.reads.push_back(captured.program->inputs[i].name + ": " + text(read.outputs[0]) +
                                  at(read.where));
        }
    }

    void bind_variables(const Captured& captured, const Outside& outside, const Results& results) {
        std::unordered_map<int, const LeafLine*> by_number;
        for (const LeafLine& leaf : r.leaves)
            if (captured.numbers.count(leaf.line.get()))
                by_number[captured.number(Value{leaf.line, 0})] = &leaf;
        for (int number : trace.callable->variables) {
            const LeafLine& leaf = *by_number.at(number);
            VariableBinding v{leaf.given, leaf.named};
            v.is_base = static_cast<bool>(leaf.base_of);
            if (v.is_base) v.base_of = outside.outside(leaf.base_of);
            for (const auto& [made, line] : results.leaf_lines)
                if (line == leaf.line.get())
                    trace.made[static_cast<std::size_t>(made)].variable =
                        static_cast<int>(trace.variables.size());
            trace.variables.push_back(v);
        }
    }

    void add_guards(const Outside& outside) {
        trace.facts = r.facts;
        for (const auto& [handle, older] : r.older)
            if (is_outside(*handle->storage))
                trace.handles.push_back(
                    {older.handle, handle->history, older.requires_grad, hooks_on(*handle)});
        for (const auto& s : r.storages) {
            const OuterStorage outer = outside.outside(s->storage);
            if (is_outside(*s->storage) || (s->given && s->captured))
                trace.captures.push_back({outer.in(r.given), outer.number});
        }
        trace.given = r.given_keys;
    }
};

}  // namespace

std::unique_ptr<TraceState> new_trace(const std::string& name, const Where& where,
                                      const Compiled::Function& function, Executor executor,
                                      const std::vector<Tensor>& arguments, const CallKey& key) {
    const auto start = std::chrono::steady_clock::now();
    auto trace = std::make_unique<TraceState>();
    trace->key = key;
    Tracer t(*trace);
    t.r.kind = Recording::traced;
    t.r.id = new_recording_id();
    t.r.name = name;
    t.r.opened = where;
    t.r.whole_storages = key.whole_storages;
    {
        const RecordingScope scope(&t.r);
        t.give(arguments);
        t.call_function(function);
        if (t.met_more_of_what_is_given()) {
            trace->wants_whole_storages = true;
            return trace;
        }
        const Outside outside(t.r);
        Results results(t.r, outside, t.outputs);
        t.add_results(results);
        t.add_storage_commits(outside);
        t.add_handle_commits();
        t.add_gradients(results);
        if (t.r.wants_whole_storages && !key.whole_storages) {
            trace->wants_whole_storages = true;
            return trace;
        }
        t.make_program(executor, outside, results);
        t.add_guards(outside);
    }
    trace->milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return trace;
}

}  // namespace tg
