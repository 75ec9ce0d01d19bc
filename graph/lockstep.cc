// One function as a tape and as a program, line beside line. Both go through the same door, so the
// k-th op that the tape runs is the k-th that the trace writes down; where a recording needs a
// copy that the tape does without, the other side waits.
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
            Heard h{op.name, current_line(), {}, {}};
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
    std::vector<std::pair<Ref<History>, Ref<Handle>>> grads;

    void keep(const Ref<Storage>& storage) {
        const Tensor whole = tensor_of(storage, Layout::contiguous(storage->shape));
        storages.push_back({whole, clone(whole)});
    }
    void restore() const {
        const NoGrad mode;
        for (const auto& [whole, bytes] : storages) write(whole, bytes, "lockstep");
        for (const auto& [history, grad] : grads) history->set_gradient(grad);
    }
};

bool same_bits(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
    const Tensor x = contiguous(to(a, Device::cpu));
    const Tensor y = contiguous(to(b, Device::cpu));
    const auto bytes = static_cast<std::size_t>(x.numel() * size_of(x.dtype()));
    return bytes == 0 || std::memcmp(x.data(), y.data(), bytes) == 0;
}

// The first number, with as many digits as a float32 has.
std::string brief(const Tensor& t) {
    if (t.numel() == 0) return "[]";
    const Scalar first = reshape(t, {-1})[0].item_scalar();
    char s[32];
    std::snprintf(s, sizeof s, "%.9g", first.as_real());
    return s + std::string(t.numel() > 1 ? ", .." : "");
}

std::string row(const Heard& tape, const Heard& line, const Tensor& value, bool equal) {
    char s[240];
    std::snprintf(s, sizeof s, "%-14s %-24s %-24s %-6s %s\n", tape.op.c_str(),
                  brief(tape.value).c_str(), brief(value).c_str(), equal ? "equal" : "DIFFER",
                  text(line.where).c_str());
    return s;
}

}  // namespace

Lockstep lockstep(const Compiled::Function& function, const std::vector<Tensor>& arguments,
                  Executor executor) {
    const CallKey key = key_of(arguments, 0, false);
    Listener listener;
    listener.tracing = true;
    std::vector<Value> lines;
    Ref<Program> all;
    std::vector<Binding> bindings;
    // The trace first: it changes nothing, and says which state the function writes.
    const auto listening = [&](const std::vector<Tensor>& inputs) {
        std::vector<Tensor> results = function(inputs);
        for (const Heard& h : listener.heard) lines.push_back(h.line);
        const Captured captured = capture(*recording(), lines, "lockstep");
        all = captured.program;
        bindings = bindings_of(*recording(), captured, ArgumentTable(arguments, inputs));
        return results;
    };
    const auto trace =
        new_trace("lockstep", current_line(), listening, Executor::lines, arguments, key);
    const std::vector<Heard> written = std::move(listener.heard);
    listener.heard.clear();

    Snapshot start;
    for (const Commit& c : trace->commits) {
        if (c.to.slot)
            start.grads.push_back({c.to.grad_of.in(arguments), nullptr});
        else
            start.keep(c.to.bytes.in(arguments));
    }
    for (auto& [history, grad] : start.grads) grad = history->gradient();

    // What the program needs, before the tape changes it.
    const std::vector<Tensor> values =
        Callable(all, executor).run(bound_inputs(trace->key, bindings, arguments));

    listener.tracing = false;
    listener.heard.clear();
    function(arguments);
    thread_state().observer = nullptr;  // what is printed below is not heard
    start.restore();

    Lockstep result;
    result.text =
        "op             tape                     " + std::string(name_of(executor)) + "\n";
    const std::size_t n = std::min(written.size(), listener.heard.size());
    result.equal = written.size() == listener.heard.size();
    for (std::size_t i = 0; i < n; ++i) {
        const Heard& ran = listener.heard[i];
        const bool equal = ran.op == written[i].op && same_bits(ran.value, values[i]);
        result.text += row(ran, written[i], values[i], equal);
        result.lines += 1;
        if (equal) continue;
        result.equal = false;
        return result;
    }
    if (!result.equal)
        result.text += "the tape ran " + std::to_string(listener.heard.size()) +
                       " ops, and the trace wrote " + std::to_string(written.size()) + "\n";
    return result;
}

}  // namespace tg
