// One function as a tape and as a program, line beside line. Both go through the same door, so the
// k-th op that the tape runs is the k-th that the trace writes down, but for lines that only move
// values: a recording needs one for a write that the tape does in place. There the other side
// waits. In the end the program that a call would run is held against what the tape has returned
// and written.
#include <cstdio>
#include <cstring>

#include "core/history.h"
#include "core/state.h"
#include "graph/capture.h"
#include "graph/trace.h"

namespace tg {
namespace {

struct Heard {
    std::string op;
    Where where;
    bool moves;  // its output has its input's values, in some order
    Tensor value;
    Value line;  // in the trace
};

struct Listener final : Observer {
    std::vector<Heard> heard;
    bool tracing = false;
    Listener() { thread_state().observer = this; }
    ~Listener() override { thread_state().observer = nullptr; }
    void applied(const Op& op, std::span<const Tensor> outputs) override {
        // What runs while a recording steps aside (a literal's bytes) is not part of the function.
        if (tracing != (recording() != nullptr) || std::strcmp(op.name, "clone") == 0) return;
        thread_state().observer = nullptr;
        for (const Tensor& t : outputs) {
            Heard h{op.name, current_line(), op.view != nullptr, {}, {}};
            if (tracing) {
                h.line = value_of(t);
            } else {
                const NoGrad mode;
                h.value = clone(t.detach());
            }
            heard.push_back(std::move(h));
        }
        thread_state().observer = this;
    }
};

// The state that a function writes, so that it can be run twice from the same start.
struct Snapshot {
    std::vector<std::pair<Tensor, Tensor>> storages;  // a whole storage, and its bytes then
    std::vector<std::pair<GradientRef, Tensor>> grads;

    void keep(const Ref<Storage>& storage) {
        const Tensor whole = tensor_of(storage, Layout::contiguous(storage->shape));
        storages.push_back({whole, clone(whole)});
    }
    void restore() const {
        const NoGrad mode;
        for (const auto& [whole, bytes] : storages) write(whole, bytes, "lockstep");
        for (const auto& [gradient, value] : grads) gradient->set(value);
    }
};

bool same_bits(const Tensor& a, const Tensor& b) {
    if (!a.defined() || !b.defined()) return a.defined() == b.defined();
    if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
    const NoGrad mode;
    const Tensor x = contiguous(to(a, Device::cpu));
    const Tensor y = contiguous(to(b, Device::cpu));
    const auto bytes = static_cast<std::size_t>(x.numel() * size_of(x.dtype()));
    return bytes == 0 || std::memcmp(x.data(), y.data(), bytes) == 0;
}

// The first number, with as many digits as a float32 has.
std::string brief(const Tensor& t) {
    if (!t.defined()) return "-";
    if (t.numel() == 0) return "[]";
    const NoGrad mode;
    const Scalar first = reshape(t, {-1})[0].item_scalar();
    char s[32];
    std::snprintf(s, sizeof s, "%.9g", first.as_real());
    return s + std::string(t.numel() > 1 ? ", .." : "");
}

std::string row(const std::string& op, const std::string& tape, const std::string& line,
                const char* verdict, const Where& where) {
    char s[240];
    std::snprintf(s, sizeof s, "%-14s %-24s %-24s %-6s %s\n", op.c_str(), tape.c_str(),
                  line.c_str(), verdict, text(where).c_str());
    return s;
}

// ---- pairing -----------------------------------------------------------------------------------

// Walks over what the tape ran and what the trace wrote, and pairs them.
struct Walk {
    const std::vector<Heard>& ran;
    const std::vector<Heard>& written;
    Lockstep& result;
    std::size_t i = 0, j = 0;  // what comes next, of each

    bool match(std::size_t a, std::size_t b) const {
        if (a == ran.size() || b == written.size()) return a == ran.size() && b == written.size();
        return ran[a].op == written[b].op && same_bits(ran[a].value, written[b].value);
    }

    // Do the two match again from here on, if lines that only move values are passed over?
    bool meet(std::size_t a, std::size_t b) const {
        for (std::size_t k = a;; ++k) {
            for (std::size_t l = b;; ++l) {
                if (match(k, l)) return true;
                if (l >= written.size() || !written[l].moves) break;
            }
            if (k >= ran.size() || !ran[k].moves) return false;
        }
    }

    // False at the first difference.
    bool step() {
        if (match(i, j)) {
            add_row(ran[i], ran[i].value, written[j].value, "equal");
            result.lines += 1;
            ++i, ++j;
        } else if (j < written.size() && written[j].moves && meet(i, j + 1)) {
            add_row(written[j], {}, written[j].value, "moves");
            ++j;
        } else if (i < ran.size() && ran[i].moves && meet(i + 1, j)) {
            add_row(ran[i], ran[i].value, {}, "moves");
            ++i;
        } else {
            differ();
            return false;
        }
        return true;
    }

    bool done() const { return i == ran.size() && j == written.size(); }

    void differ() {
        if (i < ran.size() && j < written.size()) {
            result.lines += 1;
            std::string op = ran[i].op;
            if (op != written[j].op) op += " / " + written[j].op;
            result.text +=
                row(op, brief(ran[i].value), brief(written[j].value), "DIFFER", ran[i].where);
        } else {
            result.text += "the tape ran " + std::to_string(ran.size()) +
                           " ops, and the trace wrote " + std::to_string(written.size()) + "\n";
        }
    }

    void add_row(const Heard& h, const Tensor& tape, const Tensor& line, const char* verdict) {
        result.text += row(h.op, brief(tape), brief(line), verdict, h.where);
    }
};

// ---- both ways ---------------------------------------------------------------------------------

// The trace, with the values of all its lines, and of its own program.
struct Traced {
    std::unique_ptr<TraceState> trace;
    Given given;  // what its programs want, as it was before the tape ran
    std::vector<Heard> written;
    std::vector<Tensor> outputs;
};

Traced traced(Listener& listener, const Compiled::Function& function,
              const std::vector<Tensor>& arguments, Executor executor, bool whole_storages) {
    const CallKey key = key_of(arguments, 0, whole_storages);
    Traced t;
    Ref<Program> all;
    std::vector<OuterStorage> inputs_of_all;
    const auto listening = [&](const std::vector<Tensor>& inputs) {
        std::vector<Tensor> results = function(inputs);
        t.written = std::move(listener.heard);
        std::vector<Value> lines;
        for (const Heard& h : t.written) lines.push_back(h.line);
        const Captured captured = capture(*recording(), lines, "lockstep");
        all = captured.program;
        inputs_of_all = inputs_of(*recording(), captured, Outside(*recording()));
        return results;
    };
    listener.heard.clear();
    t.trace = new_trace("lockstep", current_line(), listening, executor, arguments, key);
    if (t.trace->wants_whole_storages) return traced(listener, function, arguments, executor, true);
    // What the programs need, before the tape changes it.
    t.given = arguments;
    broken_guard(*t.trace, t.given);
    const std::vector<GivenKey>& keys = t.trace->given;
    const std::vector<Tensor> values =
        Callable(all, executor).run(bound_inputs(inputs_of_all, keys, t.given));
    for (std::size_t k = 0; k < values.size(); ++k) t.written[k].value = values[k];
    t.outputs = t.trace->callable->run(bound_inputs(t.trace->inputs, keys, t.given));
    return t;
}

Snapshot state_written_by(const Traced& t) {
    Snapshot start;
    for (const Commit& c : t.trace->commits) start.keep(c.to.in(t.given));
    for (const GradientCommit& c : t.trace->gradients) {
        if (c.of_made >= 0) continue;
        const GradientRef gradient = c.to.in(t.given);
        start.grads.push_back({gradient, gradient->get()});
    }
    return start;
}

// What the function returned and wrote, against the program's.
void compare_ends(const Traced& t, const std::vector<Tensor>& results, Lockstep& result) {
    const auto compare = [&](const std::string& what, const Tensor& tape, const Tensor& line,
                             const Where& where) {
        if (!result.equal || same_bits(tape, line)) return;
        result.equal = false;
        result.text += row(what, brief(tape), brief(line), "DIFFER", where);
    };
    CallEnd end{*t.trace, t.given, t.outputs, {}};
    end.make_tensors();
    for (std::size_t k = 0; k < results.size(); ++k)
        compare("result " + std::to_string(k), results[k], end.result(t.trace->results[k]), {});
    for (const Commit& c : t.trace->commits)
        compare(c.written_by, base_of(c.to, t.trace->given, t.given),
                t.outputs[static_cast<std::size_t>(c.output)], c.writer);
    for (const GradientCommit& c : t.trace->gradients) {
        if (c.of_made >= 0) continue;  // the tape's own is not at hand
        const Tensor now = c.to.in(t.given)->get();
        compare("the new .grad", now.defined() ? now.detach() : now, end.result(c.value), {});
    }
}

}  // namespace

Lockstep lockstep(const Compiled::Function& function, const std::vector<Tensor>& arguments,
                  Executor executor) {
    Listener listener;
    listener.tracing = true;
    // The trace first: it changes nothing, and says which state the function writes.
    Traced program = traced(listener, function, arguments, executor, false);
    const Snapshot start = state_written_by(program);

    listener.tracing = false;
    listener.heard.clear();
    std::vector<Tensor> results;
    Lockstep result;
    result.text =
        "op             tape                     " + std::string(name_of(executor)) + "\n";
    try {
        results = function(arguments);
        thread_state().observer = nullptr;  // what is compared below is not heard
        Walk walk{listener.heard, program.written, result};
        while (!walk.done() && walk.step()) {
        }
        result.equal = walk.done();
        compare_ends(program, results, result);
    } catch (...) {
        thread_state().observer = nullptr;
        start.restore();
        throw;
    }
    start.restore();
    return result;
}

}  // namespace tg
