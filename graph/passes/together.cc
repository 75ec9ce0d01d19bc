// Elementwise groups that do not wait for each other become one launch: the updates of all
// parameters, for one (graph/execute_together.h says what that saves, and what the words mean).
//
//     %5 = fused %0 %1               %7 = matmul %2 %3
//     %7 = matmul %2 %3              %5 %8 = together %0 %1 %2 %4
//     %8 = fused %2 %4         ->      body = program launch
//     return %5 %7 %8                    ... the two lines, on values of its own
//                                    return %5 %7 %8
//
// A group can wait until the first line that uses what it makes, or until the end. Those that wait
// for the same line are counted in steps back from it: where b = f(a), a is one step before b. All
// of one step are one launch. (A number may be in the launch of its users.)
//
// But who waits keeps its inputs alive. So a group stays where it is if waiting would take more
// bytes than the program has at its worst, but for a little.
#include <algorithm>
#include <map>
#include <numeric>

#include "graph/execute_together.h"
#include "graph/passes/passes.h"

namespace tg {
namespace {

// Waiting may cost so many bytes, and a 32nd of the program's worst, beyond that worst.
constexpr std::int64_t a_little = 64 << 10;

// When a line runs: just before line `until`, and before the steps that are nearer to it.
struct Time {
    int until = 0;
    int step = 0;
    bool operator<(const Time& other) const {
        return until != other.until ? until < other.until : step > other.step;
    }
};

class Waiting {
  public:
    explicit Waiting(const Program& program);
    void find_times();
    bool send_back_the_lonely();
    Ref<Program> result() const;

  private:
    using Launches = std::map<Time, std::vector<int>>;

    static std::size_t at(int i) { return static_cast<std::size_t>(i); }
    int count() const { return static_cast<int>(program_.lines.size()); }
    const Line& line(int l) const { return program_.lines[at(l)]; }
    bool is_view(int l) const { return line(l).op->alias || line(l).op->view; }

    void find_owners();
    void find_bytes();
    Time latest(int l) const;
    bool keep_inputs(int l, int until);
    Launches launches() const;
    Line launch_line(const std::vector<int>& lines) const;

    const Program& program_;
    std::vector<std::vector<int>> users_;  // by line
    std::vector<int> owner_;               // by value: the one whose bytes it looks at
    std::vector<std::int64_t> bytes_;      // by owner, if a plan would keep it in its arena
    std::vector<char> can_wait_;           // by line
    // Of one search:
    std::vector<char> waits_;          // by line
    std::vector<Time> time_;           // by line, if it waits or is a view
    std::vector<int> last_;            // by owner: the last line that needs it
    std::vector<std::int64_t> alive_;  // bytes, by line; and at the end
    std::int64_t most_ = 0;            // bytes alive at the worst line, if nobody waits
};

Waiting::Waiting(const Program& program)
    : program_(program), users_(program.lines.size()), can_wait_(program.lines.size()) {
    std::vector<int> maker(program.values.size(), -1);
    for (int l = 0; l < count(); ++l) {
        can_wait_[at(l)] = is_group(program, line(l));
        for (const Operand& in : line(l).in)
            if (in.value >= 0 && maker[at(in.value)] >= 0)
                users_[at(maker[at(in.value)])].push_back(l);
        for (int out : line(l).out) maker[at(out)] = l;
    }
    find_owners();
}

// ---- bytes -------------------------------------------------------------------------------------

void Waiting::find_owners() {
    owner_.assign(program_.values.size(), 0);
    bytes_.assign(program_.values.size(), 0);
    for (std::size_t v = 0; v < owner_.size(); ++v) owner_[v] = static_cast<int>(v);
    for (int l = 0; l < count(); ++l) {
        for (int k = 0; k < line(l).out.size(); ++k) {
            const int out = line(l).out[k];
            const Desc& desc = program_.values[at(out)];
            if (is_view(l))
                owner_[at(out)] = owner_[at(line(l).in[k].value)];
            else if (!line(l).in.empty() && !any_unknown(desc.shape))
                bytes_[at(out)] = element_count(desc.shape) * size_of(desc.dtype);
        }
    }
    for (int output : program_.outputs) bytes_[at(owner_[at(output)])] = 0;  // kept in any case
}

void Waiting::find_bytes() {
    std::vector<int> first(program_.values.size(), 0);
    last_.assign(program_.values.size(), 0);
    alive_.assign(program_.lines.size() + 2, 0);
    for (int l = 0; l < count(); ++l) {
        for (int out : line(l).out)
            if (!is_view(l)) first[at(out)] = last_[at(out)] = l;
        for (const Operand& in : line(l).in)
            if (in.value >= 0) last_[at(owner_[at(in.value)])] = l;
    }
    for (std::size_t v = 0; v < bytes_.size(); ++v) {  // what comes and goes at each line
        alive_[at(first[v])] += bytes_[v];
        alive_[at(last_[v] + 1)] -= bytes_[v];
    }
    std::partial_sum(alive_.begin(), alive_.end(), alive_.begin());
    most_ = *std::max_element(alive_.begin(), alive_.end());
}

// Keeps what line l reads alive until that line. False, and all is as before, if that takes more
// room than there is.
bool Waiting::keep_inputs(int l, int until) {
    std::vector<int> owners;
    for (const Operand& in : line(l).in)
        if (in.value >= 0) owners.push_back(owner_[at(in.value)]);
    std::sort(owners.begin(), owners.end());
    owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
    const auto add = [&](std::int64_t sign) {  // gives the most bytes at a line that it changed
        std::int64_t most = 0;
        for (int v : owners)
            for (int t = last_[at(v)] + 1; bytes_[at(v)] > 0 && t <= until; ++t)
                most = std::max(most, alive_[at(t)] += sign * bytes_[at(v)]);
        return most;
    };
    if (add(1) > most_ + most_ / 32 + a_little) {
        add(-1);
        return false;
    }
    for (int v : owners) last_[at(v)] = std::max(last_[at(v)], until);
    return true;
}

// ---- waiting -----------------------------------------------------------------------------------

// The latest time at which line l may run: the earliest that one of its users asks for. As they
// come later than it, their times are known.
Time Waiting::latest(int l) const {
    Time earliest{count(), 0};
    for (int user : users_[at(l)]) {
        Time due{user, 0};
        if (is_view(user)) {
            due = time_[at(user)];
        } else if (waits_[at(user)]) {
            const bool together = !is_view(l) && makes_number(program_, line(l));
            due = {time_[at(user)].until, time_[at(user)].step + (together ? 0 : 1)};
        }
        earliest = std::min(earliest, due);
    }
    return earliest;
}

void Waiting::find_times() {
    find_bytes();
    waits_.assign(program_.lines.size(), 0);
    time_.assign(program_.lines.size(), Time{});
    for (int l = count() - 1; l >= 0; --l) {
        if (!can_wait_[at(l)] && !is_view(l)) continue;
        time_[at(l)] = latest(l);
        waits_[at(l)] = can_wait_[at(l)] && keep_inputs(l, time_[at(l)].until);
    }
}

Waiting::Launches Waiting::launches() const {
    Launches launches;
    for (int l = 0; l < count(); ++l)
        if (waits_[at(l)]) launches[time_[at(l)]].push_back(l);
    return launches;
}

// A group that nobody goes with might as well not wait.
bool Waiting::send_back_the_lonely() {
    bool any = false;
    for (const auto& [time, lines] : launches()) {
        if (lines.size() > 1) continue;
        can_wait_[at(lines[0])] = 0;
        any = true;
    }
    return any;
}

// ---- writing the launches ----------------------------------------------------------------------

Line Waiting::launch_line(const std::vector<int>& lines) const {
    if (lines.size() == 1) return line(lines[0]);
    Ref<Program> body = make<Program>();
    body->name = "launch";
    Line made;
    made.op = &together;
    std::map<int, int> place;  // by value of the program: where it is in the body
    const auto give = [&](int value) {
        place[value] = static_cast<int>(body->values.size());
        body->values.push_back(program_.values[at(value)]);
    };
    for (int l : lines)
        for (int out : line(l).out) place[out] = -1;
    for (int l : lines)
        for (const Operand& in : line(l).in) {
            if (in.value < 0 || place.count(in.value) > 0) continue;
            const std::string name = "x" + std::to_string(body->inputs.size());
            give(in.value);
            body->inputs.push_back({ProgramInput::argument, name, false});
            made.in.push_back(Operand{in.value, {}});
        }
    for (int l : lines) {
        Line inner = line(l);
        for (Operand& in : inner.in)
            if (in.value >= 0) in.value = place[in.value];
        for (int& out : inner.out) {
            made.out.push_back(out);
            give(out);
            out = place[out];
            body->outputs.push_back(out);
        }
        made.requires_grad = made.requires_grad || inner.requires_grad;
        made.where = inner.where;
        body->lines.push_back(std::move(inner));
    }
    made.attrs = Attrs{Attr{Ref<Object>(body.get())}};
    return made;
}

// In the old order, but for the launches and what looks at their values.
Ref<Program> Waiting::result() const {
    Ref<Program> result = make<Program>(program_);
    result->lines.clear();
    std::vector<char> is_made(program_.values.size(), 0);
    std::fill_n(is_made.begin(), program_.inputs.size(), 1);
    std::vector<int> late;  // views
    const auto add = [&](const Line& line) {
        for (int out : line.out) is_made[at(out)] = 1;
        result->lines.push_back(line);
    };
    const auto is_ready = [&](int l) {
        return std::all_of(line(l).in.begin(), line(l).in.end(), [&](const Operand& in) {
            return in.value < 0 || is_made[at(in.value)];
        });
    };
    const Launches all = launches();
    auto next = all.begin();
    for (int l = 0; l <= count(); ++l) {
        for (; next != all.end() && next->first.until == l; ++next) {
            add(launch_line(next->second));
            for (int& view : late)
                if (view >= 0 && is_ready(view)) add(line(std::exchange(view, -1)));
        }
        if (l == count() || waits_[at(l)]) continue;
        if (is_view(l) && !is_ready(l))
            late.push_back(l);
        else
            add(line(l));
    }
    return result;
}

Ref<Program> run(const Program& program) {
    Waiting waiting(program);
    for (int round = 0; round < 8; ++round) {  // who is sent back may leave another alone
        waiting.find_times();
        if (!waiting.send_back_the_lonely()) break;
    }
    return waiting.result();
}

}  // namespace

const Pass run_together = {.name = "together",
                           .run = run,
                           .what = "groups that do not wait for each other become one launch"};

}  // namespace tg
