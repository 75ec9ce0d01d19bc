#include "graph/compile.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>
#include <unordered_map>

#include "core/history.h"
#include "core/hooks.h"
#include "core/ops/structural.h"
#include "core/state.h"
#include "graph/trace.h"

namespace tg {

// ---- the key -----------------------------------------------------------------------------------
CallKey key_of(const std::vector<Tensor>& arguments, std::int64_t extra, bool whole_storages) {
    CallKey key;
    key.extra = extra;
    key.whole_storages = whole_storages;
    key.grad_enabled = grad_enabled();
    key.default_dtype = default_dtype();
    key.default_device = default_device();
    if (autocast().enabled) key.autocast = autocast();
    for (std::size_t i = 0; i < arguments.size(); ++i)
        key.arguments.push_back(key_of(std::span(arguments), i, whole_storages));
    return key;
}

namespace {

std::string argument_text(const GivenKey& a) {
    std::string s = std::string(name_of(a.dtype)) + " " + text(a.layout.shape);
    if (!a.window) s += " strides " + text(a.layout.strides);
    if (a.device != Device::cpu) s += " on " + std::string(name_of(a.device));
    return s + (a.requires_grad ? " requires_grad" : "");
}

std::string difference_of(const GivenKey& now, const GivenKey& before, std::size_t i) {
    const std::string arg = "argument " + std::to_string(i);
    if (argument_text(now) != argument_text(before))
        return arg + " is " + argument_text(now) + ", and was " + argument_text(before);
    if (now.tensor_of != before.tensor_of || now.storage_of != before.storage_of ||
        now.history_of != before.history_of || now.value_of != before.value_of)
        return arg + " shares memory with other arguments than before";
    if (now.hooks != before.hooks) return arg + " has other hooks than before";
    return arg + " has another layout";
}

}  // namespace

std::string text(const CallKey& key) {
    std::string s = "(";
    for (std::size_t i = 0; i < key.arguments.size(); ++i)
        s += (i ? ", " : "") + argument_text(key.arguments[i]);
    return s + ")" + (key.grad_enabled ? "" : " under no_grad") +
           (key.autocast.enabled ? std::string(" under autocast to ") + name_of(key.autocast.dtype)
                                 : "");
}

std::string why_new(const CallKey& now, const CallKey& before) {
    if (now.arguments.size() != before.arguments.size())
        return std::to_string(now.arguments.size()) + " tensors were given, not " +
               std::to_string(before.arguments.size());
    for (std::size_t i = 0; i < now.arguments.size(); ++i)
        if (!(now.arguments[i] == before.arguments[i]))
            return difference_of(now.arguments[i], before.arguments[i], i);
    if (now.grad_enabled != before.grad_enabled)
        return now.grad_enabled ? "gradients are on now" : "gradients are off now";
    if (now.default_dtype != before.default_dtype)
        return std::string("the default dtype is ") + name_of(now.default_dtype) + " now";
    if (now.default_device != before.default_device)
        return std::string("the default device is ") + name_of(now.default_device) + " now";
    if (!(now.autocast == before.autocast))
        return now.autocast.enabled
                   ? std::string("autocast to ") + name_of(now.autocast.dtype) + " is on now"
                   : "autocast is off now";
    return "";
}

// ---- Compiled ----------------------------------------------------------------------------------

struct Compiled::State {
    std::string name;
    Function function;
    CompileOptions options;
    Where where;
    bool whole_storages = false;  // an argument's storage was also captured: see trace.h
    std::vector<std::shared_ptr<TraceState>> traces;  // one that runs outlives clear()
    std::recursive_mutex mutex;                       // fn may step out and call itself

    State(std::string n, Function f, CompileOptions o, Where w)
        : name(std::move(n)), function(std::move(f)), options(o), where(w) {}

    // The trace for this call, and all that is given to it. If only guards stood against one,
    // `guard` says which.
    std::shared_ptr<TraceState> fitting(const CallKey& key, const std::vector<Tensor>& arguments,
                                        Given& given, std::string& guard) const {
        for (const auto& t : traces) {
            if (!(t->key == key)) continue;
            given = arguments;
            guard = broken_guard(*t, given);
            if (guard.empty()) return t;
        }
        return nullptr;
    }

    // What was new about a call that traced again, in words. `extra` is the caller's reason.
    std::string why_traced(const CallKey& key, const std::string& guard,
                           const std::string& extra) const {
        if (traces.empty()) return "";
        const CallKey& before = traces.back()->key;
        std::string why = why_new(key, before);
        if (!extra.empty() && key.extra != before.extra) why += (why.empty() ? "" : "; ") + extra;
        if (why.empty()) why = guard.empty() ? extra : guard;
        return why.empty() ? "a combination that was not seen before" : why;
    }
};

Compiled::Compiled(std::string name, Function function, CompileOptions options, Where where)
    : state_(std::make_unique<State>(std::move(name), std::move(function), options, where)) {}

Compiled::~Compiled() = default;

std::vector<Tensor> Compiled::call(const std::vector<Tensor>& arguments, std::int64_t extra,
                                   const std::string& why, Where where,
                                   std::shared_ptr<void>* attachment) {
    const Here here(where);
    State& s = *state_;
    if (recording()) return s.function(arguments);  // its lines join those of the caller
    for (const Tensor& t : arguments)
        if (t.is_symbolic()) t.data();  // throws
    const std::shared_ptr<void> attached = attachment ? *attachment : nullptr;
    std::unique_lock lock(s.mutex);
    int made = 0;
    while (true) {
        const CallKey key = key_of(arguments, extra, s.whole_storages);
        std::string guard;
        Given given;
        if (const auto t = s.fitting(key, arguments, given, guard)) {
            if (attachment) *attachment = t->attachment;
            lock.unlock();
            if (auto results = run_trace(*t, arguments, std::move(given)))
                return *std::move(results);
            lock.lock();  // another thread's step has broken a guard meanwhile
            continue;
        }
        if (made++ > 3) fail(ErrorKind::runtime, s.name, ": its guards fail right after its trace");
        if (attachment) *attachment = attached;
        std::shared_ptr<TraceState> t =
            new_trace(s.name, s.where, s.function, s.options.executor, arguments, key);
        if (t->wants_whole_storages && !s.whole_storages) {
            s.whole_storages = true;
            continue;
        }
        t->why = s.why_traced(key, guard, why);
        if (attachment) t->attachment = *attachment;
        s.traces.push_back(std::move(t));
    }
}

std::vector<Compiled::Trace> Compiled::traces() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<Trace> list;
    for (const auto& t : state_->traces) {
        Trace trace;
        trace.key = text(t->key);
        trace.why = t->why;
        trace.milliseconds = t->milliseconds;
        trace.calls = t->calls;
        trace.written = t->callable->written;
        trace.improved = t->callable->improved;
        trace.launches = t->callable->launches();
        trace.reads = t->reads;
        trace.writes = t->write_names;
        list.push_back(std::move(trace));
    }
    return list;
}

std::string Compiled::explain() const {
    std::string s = state_->name + at(state_->where) + "\n";
    const std::vector<Trace> list = traces();
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Trace& t = list[i];
        char line[160];
        std::snprintf(
            line, sizeof line,
            ": %.1f ms to trace and compile, %lld calls, %zu lines, %zu after the passes, "
            "%d launches\n",
            t.milliseconds, static_cast<long long>(t.calls), t.written->lines.size(),
            t.improved->lines.size(), t.launches);
        s += "  trace " + std::to_string(i) + " " + t.key + line;
        if (!t.why.empty()) s += "    why: " + t.why + "\n";
        for (const std::string& r : t.reads) s += "    reads " + r + "\n";
        for (const std::string& w : t.writes) s += "    writes " + w + "\n";
    }
    return list.empty() ? s + "  not called yet\n" : s;
}

void Compiled::clear() {
    const std::lock_guard lock(state_->mutex);
    state_->traces.clear();
}

}  // namespace tg
