// Fusion: lines that work element by element, on one shape, become one line that goes over memory
// once (graph/execute_fused.h says what that saves).
//
//     %2 = mul %0 %1                 %4 = fused %0 %1
//     %3 = exp %2               ->     body = program group
//     %4 = add %3 1.0                    ... the same three lines, on values of its own
//
// Lines are joined from the first to the last: each with the groups that make its inputs. A group
// runs as a whole, in the place of its last line. So it may hold a line only if whoever else uses
// that line's value comes later: y = exp(x), s = sum(y), z = y / s can never run as one.
#include <algorithm>

#include "graph/execute_fused.h"
#include "graph/passes/passes.h"

namespace tg {
namespace {

constexpr int most_outputs = 8;  // each is another stream to memory

using Lines = std::vector<int>;

// The groups so far. A line that is in none is a group of itself.
class Fusion {
  public:
    explicit Fusion(const Program& program);
    void join_all();
    Ref<Program> result() const;

  private:
    const Line& line(int l) const { return program_.lines[static_cast<std::size_t>(l)]; }
    const Dims& shape(int l) const {
        return program_.values[static_cast<std::size_t>(line(l).out[0])].shape;
    }
    const Lines& users_of(int l) const {  // of an elementwise line's value
        return users_[static_cast<std::size_t>(line(l).out[0])];
    }
    int group(int l) const { return group_[static_cast<std::size_t>(l)]; }
    const Lines& members(int g) const { return members_[static_cast<std::size_t>(g)]; }
    int maker(int value) const { return maker_[static_cast<std::size_t>(value)]; }
    bool can_join(int l) const { return can_join_[static_cast<std::size_t>(l)] != 0; }

    bool fits(const Lines& lines) const;
    void try_join(int g, int h);
    std::vector<int> inputs_of(const Lines& lines) const;
    std::vector<int> outputs_of(const Lines& lines) const;
    Line group_line(const Lines& lines) const;

    const Program& program_;
    std::vector<int> maker_;      // by value: the line that makes it, or -1
    std::vector<Lines> users_;    // by value
    std::vector<char> returned_;  // by value
    std::vector<char> can_join_;  // by line
    std::vector<int> group_;      // by line
    std::vector<Lines> members_;  // by group, in order
};

bool holds(const Lines& lines, int l) { return std::binary_search(lines.begin(), lines.end(), l); }

Fusion::Fusion(const Program& program)
    : program_(program),
      maker_(program.values.size(), -1),
      users_(program.values.size()),
      returned_(program.values.size(), 0) {
    for (int l = 0; l < static_cast<int>(program.lines.size()); ++l) {
        for (int out : line(l).out) maker_[static_cast<std::size_t>(out)] = l;
        for (const Operand& in : line(l).in)
            if (in.value >= 0) users_[static_cast<std::size_t>(in.value)].push_back(l);
        can_join_.push_back(is_fusable(program, line(l)));
        group_.push_back(l);
        members_.push_back({l});
    }
    for (int output : program.outputs) returned_[static_cast<std::size_t>(output)] = 1;
}

// ---- joining -----------------------------------------------------------------------------------

std::vector<int> Fusion::inputs_of(const Lines& lines) const {
    std::vector<int> inputs;
    for (int l : lines)
        for (const Operand& in : line(l).in) {
            if (in.value < 0) continue;
            if (!holds(lines, maker(in.value)) &&
                std::find(inputs.begin(), inputs.end(), in.value) == inputs.end())
                inputs.push_back(in.value);
        }
    return inputs;
}

// The values that somebody outside wants.
std::vector<int> Fusion::outputs_of(const Lines& lines) const {
    std::vector<int> outputs;
    for (int l : lines) {
        const int value = line(l).out[0];
        bool wanted = returned_[static_cast<std::size_t>(value)] || users_of(l).empty();
        for (int user : users_of(l)) wanted = wanted || !holds(lines, user);
        if (wanted) outputs.push_back(value);
    }
    return outputs;
}

bool Fusion::fits(const Lines& lines) const {
    if (lines.size() > most_group_lines || inputs_of(lines).size() > most_group_inputs)
        return false;
    int outputs = 0;  // that no later joining can take inside
    for (int l : lines) {
        bool stays = returned_[static_cast<std::size_t>(line(l).out[0])] != 0;
        for (int user : users_of(l)) {
            if (!holds(lines, user) && user < lines.back()) return false;  // it cannot wait
            stays = stays || !can_join(user) || shape(user) != shape(l);
        }
        outputs += stays;
    }
    return outputs <= most_outputs;
}

void Fusion::try_join(int g, int h) {
    Lines both = members(g);
    both.insert(both.end(), members(h).begin(), members(h).end());
    std::sort(both.begin(), both.end());
    if (!fits(both)) return;
    for (int l : members(h)) group_[static_cast<std::size_t>(l)] = g;
    members_[static_cast<std::size_t>(h)].clear();
    members_[static_cast<std::size_t>(g)] = std::move(both);
}

void Fusion::join_all() {
    for (int l = 0; l < static_cast<int>(program_.lines.size()); ++l) {
        if (!can_join(l)) continue;
        for (const Operand& in : line(l).in) {
            const int before = in.value >= 0 ? maker(in.value) : -1;
            if (before < 0 || !can_join(before) || shape(before) != shape(l)) continue;
            if (group(before) != group(l)) try_join(group(before), group(l));
        }
    }
}

// ---- writing the groups ------------------------------------------------------------------------

Line Fusion::group_line(const Lines& lines) const {
    Ref<Program> body = make<Program>();
    body->name = "group";
    Line made;
    made.op = &fused;
    std::vector<int> number(program_.values.size(), -1);  // in the body
    const auto give = [&](int value) {
        number[static_cast<std::size_t>(value)] = static_cast<int>(body->values.size());
        body->values.push_back(program_.values[static_cast<std::size_t>(value)]);
    };
    for (int input : inputs_of(lines)) {
        const char name = static_cast<char>('a' + static_cast<char>(body->inputs.size()));
        give(input);
        body->inputs.push_back({ProgramInput::argument, std::string(1, name), false});
        made.in.push_back(Operand{input, {}});
    }
    for (int l : lines) {
        Line inner = line(l);
        for (Operand& in : inner.in)
            if (in.value >= 0) in.value = number[static_cast<std::size_t>(in.value)];
        give(inner.out[0]);
        inner.out[0] = number[static_cast<std::size_t>(inner.out[0])];
        made.requires_grad = made.requires_grad || inner.requires_grad;
        made.where = inner.where;
        body->lines.push_back(std::move(inner));
    }
    for (int output : outputs_of(lines)) {
        body->outputs.push_back(number[static_cast<std::size_t>(output)]);
        made.out.push_back(output);
    }
    made.attrs = Attrs{Attr{Ref<Object>(body.get())}};
    return made;
}

Ref<Program> Fusion::result() const {
    Ref<Program> result = make<Program>(program_);
    result->lines.clear();
    for (int l = 0; l < static_cast<int>(program_.lines.size()); ++l) {
        const Lines& lines = members(group(l));
        if (lines.back() == l)
            result->lines.push_back(lines.size() > 1 ? group_line(lines) : line(l));
    }
    return result;
}

Ref<Program> run(const Program& program) {
    Fusion fusion(program);
    fusion.join_all();
    return fusion.result();
}

}  // namespace

const Pass fuse = {.name = "fuse",
                   .run = run,
                   .what = "elementwise lines of one shape become one line that runs in blocks"};

}  // namespace tg
