// Random programs on the tape and as compiled programs: the same values, gradients and written
// state to the last bit. TAPEGRAPH_FUZZ sets how many, TAPEGRAPH_FUZZ_FROM the first's seed (the
// others' follow); TAPEGRAPH_FUZZ_SEED runs one alone. `./dev fuzz` does so with fresh seeds.
#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>

#include "core/history.h"
#include "tests/graph/fuzz_generate.h"

using namespace tg;
using namespace tg::fuzz;

namespace {

using Tensors = std::vector<Tensor>;

// What one run left behind, copied out.
struct Call {
    std::string error;
    Tensors results;
    Tensors state;                     // the bases of all sources
    Tensors grads;                     // of all leaves
    std::vector<std::size_t> changed;  // the sources that have another history than before
};

Tensor copied(const Tensor& t) {
    if (!t.defined()) return t;
    const NoGrad mode;
    return clone(t.detach());
}

Tensors copied(const Tensors& list) {
    Tensors copies;
    for (const Tensor& t : list) copies.push_back(copied(t));
    return copies;
}

// The function that both modes run: arguments in, the slots of all steps out.
Tensors run_steps(const FuzzProgram& p, const World& w, const Tensors& arguments) {
    Tensors slots;
    std::size_t next = 0;
    for (std::size_t i = 0; i < p.sources.size(); ++i)
        slots.push_back(p.sources[i].argument ? arguments[next++] : w.sources[i]);
    interpret(p, slots, p.inside);
    Tensors results = slots;
    if (p.inside < p.steps.size())
        return {slots.begin() + static_cast<std::ptrdiff_t>(p.sources.size()), slots.end()};
    for (std::size_t i = 0; i < results.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (i >= p.sources.size() && slots[i].defined() && slots[k].defined() &&
                slots[i].same(slots[k]))
                results[i] = Tensor{};
    results.erase(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(p.sources.size()));
    // Outputs whose gradient nobody asks for: a call would add zeros for them, where the tape adds
    // nothing, and 0 times inf is not nothing.
    for (std::size_t k = 0; k < results.size(); ++k)
        if (results[k].defined() &&
            std::find(p.wanted.begin(), p.wanted.end(), static_cast<int>(k + p.sources.size())) ==
                p.wanted.end())
            results[k] = results[k].detach();
    return results;
}

// The other steps, on what the function has returned.
Tensors continued(const FuzzProgram& p, const World& w, const Tensors& results) {
    Tensors slots = w.sources;
    slots.insert(slots.end(), results.begin(), results.end());
    interpret(p, slots, p.steps.size());
    return {slots.begin() + static_cast<std::ptrdiff_t>(p.sources.size()), slots.end()};
}

// Which node made each source's present value.
std::vector<Value> histories_of(const World& w) {
    std::vector<Value> now;
    for (const Tensor& t : w.sources) now.push_back(t.handle().history->now);
    return now;
}

// What the loss is made of; outside of the function also the sources that it wrote.
Tensors wanted_of(const FuzzProgram& p, const Tensors& results) {
    Tensors wanted;
    for (int k : p.wanted)
        wanted.push_back(results[static_cast<std::size_t>(k) - p.sources.size()]);
    return wanted;
}

// Each source that has a gradient, used: a product for each.
void use_sources(const FuzzProgram& p, const World& w, Tensors& list) {
    if (!p.beside) return;
    for (const Tensor& t : w.sources)
        list.push_back(t.requires_grad() ? mul(t, 1.0 + static_cast<double>(list.size()))
                                         : Tensor{});
}

// Two calls on one world, as a tape or compiled.
std::vector<Call> calls_of(const FuzzProgram& p, const Executor* executor,
                           const std::vector<Call>& tape = {}) {
    const World w = world_of(p);
    const Compiled::Function function = [&](const Tensors& x) {
        Tensors results = run_steps(p, w, x);
        if (p.backward_inside) {
            const Tensor loss = loss_of(wanted_of(p, results), p.seed);
            if (loss.defined()) loss.backward();
        }
        return results;
    };
    Compiled compiled("fuzz", function, {.executor = executor ? *executor : Executor::lines});
    std::vector<Call> calls;
    for (std::size_t k = 0; k < (executor ? tape.size() : 2); ++k) {
        Call call;
        bool backward = false;
        const std::vector<Value> before = histories_of(w);
        try {
            const auto called = [&] {
                return executor ? compiled(w.arguments) : function(w.arguments);
            };
            Tensors used;
            use_sources(p, w, used);
            const Tensors results = continued(p, w, called());
            call.results = copied(results);
            const bool kept =
                executor ? tape[calls.size()].changed.empty() : before == histories_of(w);
            if (p.beside && kept)
                for (const Tensor& t : wanted_of(p, called())) used.push_back(t);
            use_sources(p, w, used);
            call.state = copied(w.bases);
            backward = !p.backward_inside;
            for (std::size_t i = 0; !executor && i < w.sources.size(); ++i)
                if (!(histories_of(w)[i] == before[i])) call.changed.push_back(i);
            if (executor) call.changed = tape[calls.size()].changed;
            if (backward) {
                Tensors wanted = wanted_of(p, results);
                for (std::size_t i : call.changed) wanted.push_back(w.sources[i]);
                wanted.insert(wanted.end(), used.begin(), used.end());
                const Tensor loss = loss_of(wanted, p.seed);
                if (loss.defined()) loss.backward();
            }
            for (const Tensor& leaf : w.leaves) call.grads.push_back(copied(leaf.grad()));
        } catch (const Error& e) {
            call.error = (backward ? "backward: " : "call: ") + std::string(e.what());
        }
        calls.push_back(std::move(call));
        // A call that wrote a history is the last: a compiled call's node is freed as a whole,
        // where the tape's nodes are freed one by one.
        if (!calls.back().error.empty() || before != histories_of(w)) break;
    }
    return calls;
}

bool same_number(const char* a, const char* b, DType dtype) {
    const auto size = static_cast<std::size_t>(size_of(dtype));
    if (std::memcmp(a, b, size) == 0) return true;
    const auto is_nan = [&](const char* p) {
        float f = 0;
        double d = 0;
        std::uint16_t bits = 0;  // a NaN's lie above infinity's
        if (dtype == DType::float32) std::memcpy(&f, p, size);
        if (dtype == DType::float64) std::memcpy(&d, p, size);
        if (size == 2) std::memcpy(&bits, p, size);
        return f != f || d != d || (bits & 0x7fff) > (dtype == DType::float16 ? 0x7c00 : 0x7f80);
    };
    return is_floating(dtype) && is_nan(a) && is_nan(b);
}

// Equal to the last bit, but any NaN is as good as another. Empty if so, else what differs.
std::string difference_of(const Tensor& tape, const Tensor& program) {
    if (tape.defined() != program.defined())
        return tape.defined() ? "is absent in the program" : "is absent on the tape";
    if (!tape.defined()) return "";
    if (tape.shape() != program.shape() || tape.dtype() != program.dtype())
        return "is " + describe(tape) + " on the tape and " + describe(program) + " in the program";
    const Tensor a = contiguous(tape);
    const Tensor b = contiguous(program);
    const auto* x = static_cast<const char*>(a.data());
    const auto* y = static_cast<const char*>(b.data());
    for (std::int64_t i = 0; i < a.numel(); ++i)
        if (!same_number(x + i * size_of(a.dtype()), y + i * size_of(a.dtype()), a.dtype()))
            return "differs at " + std::to_string(i) + ": tape " + tg::text(a) + ", program " +
                   tg::text(b);
    return "";
}

std::string difference_of(const Tensors& tape, const Tensors& program, const std::string& what) {
    if (tape.size() != program.size()) return what + ": another number of them";
    for (std::size_t i = 0; i < tape.size(); ++i)
        if (const std::string d = difference_of(tape[i], program[i]); !d.empty())
            return what + " " + std::to_string(i) + " " + d;
    return "";
}

std::string difference_of(const Call& tape, const Call& program, bool inside) {
    const bool failed = !tape.error.empty();
    // A call outside keeps what its gradient needs, so it may succeed where the tape finds a
    // value overwritten; never the other way round.
    // And a line whose result nobody sees is not run, so an index out of range there is no error.
    const bool overwritten = !inside && tape.error.rfind("backward", 0) == 0;
    const bool unseen = tape.error.find(" is outside ") != std::string::npos;
    const bool lenient = failed && (overwritten || unseen);
    if (failed != !program.error.empty() && !lenient)
        return "tape: " + (failed ? tape.error : "no error") +
               "; program: " + (failed ? "no error" : program.error);
    if (failed && !lenient) return "";
    std::string d = difference_of(tape.results, program.results, "result");
    if (d.empty()) d = difference_of(tape.state, program.state, "state");
    if (!d.empty() || failed) return d;
    return difference_of(tape.grads, program.grads, "grad");
}

std::string checked(const FuzzProgram& p) {
    const std::vector<Call> tape = calls_of(p, nullptr);
    for (const Executor executor : {Executor::lines, Executor::planned, Executor::fused}) {
        const std::vector<Call> program = calls_of(p, &executor, tape);
        for (std::size_t k = 0; k < std::min(tape.size(), program.size()); ++k) {
            const std::string d = difference_of(tape[k], program[k], p.backward_inside);
            if (!d.empty())
                return std::string(tg::name_of(executor)) + ", call " + std::to_string(k) + ": " +
                       d;
        }
    }
    return "";
}

// Leaves out every step and every gradient without which it fails all the same.
FuzzProgram minimised(FuzzProgram p) {
    for (bool smaller = true; smaller;) {
        smaller = false;
        const auto keep_if_failing = [&](const std::function<void(FuzzProgram&)>& change) {
            FuzzProgram less = p;
            change(less);
            if (checked(less).empty()) return;
            p = less;
            smaller = true;
        };
        for (std::size_t k = p.steps.size(); k-- > 0;)
            if (!p.steps[k].op.empty())
                keep_if_failing([k](FuzzProgram& q) { q.steps[k].op = ""; });
        for (std::size_t k = p.wanted.size(); k-- > 0;)
            if (k < p.wanted.size())
                keep_if_failing([k](FuzzProgram& q) {
                    q.wanted.erase(q.wanted.begin() + static_cast<std::ptrdiff_t>(k));
                });
        for (std::size_t k = 0; k < p.sources.size(); ++k) {
            if (p.sources[k].argument)
                keep_if_failing([k](FuzzProgram& q) { q.sources[k].argument = false; });
            if (p.sources[k].requires_grad)
                keep_if_failing([k](FuzzProgram& q) { q.sources[k].requires_grad = false; });
            if (p.sources[k].of < 0 && p.sources[k].form != Form::whole)
                keep_if_failing([k](FuzzProgram& q) { q.sources[k].form = Form::whole; });
        }
    }
    return p;
}

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* s = std::getenv(name);
    return s ? std::strtoull(s, nullptr, 10) : otherwise;
}

// The results of one call on the tape, in float32 or in float64, with the inputs nudged.
Tensors results_of(const FuzzProgram& p, DType dtype, double nudge) {
    const World w = world_of(p, dtype, nudge);
    try {
        return copied(continued(p, w, run_steps(p, w, w.arguments)));
    } catch (const Error&) {  // a product of a float64 and a float32
        return {};
    }
}

Tensor far_from(const Tensor& a, const Tensor& b) {
    return abs(sub(cast(a, DType::float64), cast(b, DType::float64)));
}

// How many elements of float32's results lie further from float64's than rounding explains: what
// a nudge of the inputs by one part in ten million does to them, many times over.
std::int64_t off_in_float32(const FuzzProgram& p, std::int64_t& compared) {
    for (const Step& s : p.steps)  // a cast to its own dtype is the tensor itself
        if (s.op == "cast") return 0;
    for (const Source& s : p.sources)  // which round more than float32 does
        if (is_low_precision(s.dtype)) return 0;
    const Tensors narrow = results_of(p, DType::float32, 0);
    const Tensors wide = results_of(p, DType::float64, 0);
    const Tensors up = results_of(p, DType::float64, 1e-7);
    const Tensors down = results_of(p, DType::float64, -1e-7);
    std::int64_t off = 0;
    for (std::size_t k = 0; k < std::min(narrow.size(), wide.size()); ++k) {
        if (!narrow[k].defined() || !wide[k].defined() || narrow[k].numel() == 0) continue;
        // A comparison or an index that flips is a jump: what follows from it cannot be compared.
        if (!is_floating(narrow[k].dtype())) {
            if (sum(ne(narrow[k], wide[k])).item<int>() + sum(ne(up[k], wide[k])).item<int>() > 0)
                break;
            continue;
        }
        const Tensor moved = add(far_from(up[k], wide[k]), far_from(down[k], wide[k]));
        const Tensor allowed =
            add(mul(moved, 50), mul(add(amax(abs(cast(wide[k], DType::float64))), 1), 1e-5));
        off += sum(gt(far_from(narrow[k], wide[k]), allowed)).item<std::int64_t>();
        compared += narrow[k].numel();
    }
    return off;
}

}  // namespace

TEST_CASE("random programs give the tape's values, writes and gradients bit for bit") {
    const std::uint64_t first =
        number_from("TAPEGRAPH_FUZZ_SEED", number_from("TAPEGRAPH_FUZZ_FROM", 1));
    const std::uint64_t count =
        std::getenv("TAPEGRAPH_FUZZ_SEED") ? 1 : number_from("TAPEGRAPH_FUZZ", 500);
    int failures = 0;
    for (std::uint64_t seed = first; seed < first + count && failures < 5; ++seed) {
        const FuzzProgram p = random_program(seed);
        if (checked(p).empty()) continue;
        ++failures;
        const FuzzProgram least = minimised(p);
        FAIL_CHECK(text(least), checked(least));
    }
    CHECK(failures == 0);
}

TEST_CASE("random programs in float32 are near what they are in float64") {
    const std::uint64_t count = number_from("TAPEGRAPH_FUZZ", 500);
    std::int64_t off = 0, compared = 0;
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
        const FuzzProgram p = random_program(seed);
        const std::int64_t here = off_in_float32(p, compared);
        if (here > 0) MESSAGE(text(p), here, " elements are off");
        off += here;
    }
    CHECK(compared > static_cast<std::int64_t>(count) * 15);
    CHECK(off * 1000 <= compared);
}
