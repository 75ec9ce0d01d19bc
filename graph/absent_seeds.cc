#include "graph/absent_seeds.h"

#include "core/ops/structural.h"

namespace tg {
namespace {

Line zeros_like(const Desc& desc, int number, const Where& where) {
    static const Op* const full = find_line_op("full");
    Line line;
    line.op = full;
    line.attrs = {Attr{desc.shape}, Attr{desc.dtype}, Attr{static_cast<std::int64_t>(desc.device)},
                  Attr{0.0}};
    line.out.push_back(number);
    line.where = where;
    return line;
}

// What is left of lines that are linear in some inputs, the seeds, when not all of these are given.
// On the tape an absent gradient is no gradient of zeros: it adds nothing, not even 0 * inf. So a
// line that has only absent ones to work on is left out, and of a sum with one the other is taken.
class WithoutSeeds {
  public:
    // `first` is the number of the first seed among the inputs.
    WithoutSeeds(const Program& program, int first, const std::vector<char>& present)
        : program_(program), left_(make<Program>()) {
        left_->name = program.name;
        left_->inputs = program.inputs;
        left_->values = program.values;
        for (int v = 0; v < static_cast<int>(program.values.size()); ++v) renamed_.push_back(v);
        late_.assign(program.values.size(), 0);
        absent_.assign(program.values.size(), 0);
        for (std::size_t k = 0; k < present.size(); ++k) {
            late_[static_cast<std::size_t>(first) + k] = 1;
            absent_[static_cast<std::size_t>(first) + k] = !present[k];
        }
        for (const Line& line : program.lines) add(line);
    }

    bool is_absent(int value) const { return absent_[static_cast<std::size_t>(value)] != 0; }

    // The program that computes what is left of the outputs.
    Ref<Program> finished() {
        for (int v : program_.outputs)
            if (!is_absent(v)) left_->outputs.push_back(renamed_[static_cast<std::size_t>(v)]);
        return left_;
    }

  private:
    void add(Line line) {
        bool late = false;
        bool given = false;
        for (const Operand& in : line.in) {
            if (in.value < 0 || !late_[static_cast<std::size_t>(in.value)]) continue;
            late = true;
            given = given || !is_absent(in.value);
        }
        for (int out : line.out) {
            late_[static_cast<std::size_t>(out)] = late;
            absent_[static_cast<std::size_t>(out)] = late && !given;
        }
        if (late && !given) return;
        if (late && is_sum_of_one(line)) return;
        for (Operand& in : line.in) {
            if (in.value < 0) continue;
            if (is_absent(in.value)) {
                const Desc desc = program_.values[static_cast<std::size_t>(in.value)];
                in.value = static_cast<int>(left_->values.size());
                left_->values.push_back(desc);
                left_->lines.push_back(zeros_like(desc, in.value, line.where));
            } else {
                in.value = renamed_[static_cast<std::size_t>(in.value)];
            }
        }
        left_->lines.push_back(std::move(line));
    }

    // a + (absent) is a, where that has the sum's shape: gradients that are added up do.
    bool is_sum_of_one(const Line& line) {
        static const Op* const sum = find_line_op("add");
        if (line.op != sum || line.in[0].value < 0 || line.in[1].value < 0) return false;
        const bool left_absent = is_absent(line.in[0].value);
        if (left_absent == is_absent(line.in[1].value)) return false;
        const int kept = line.in[left_absent ? 1 : 0].value;
        if (program_.values[static_cast<std::size_t>(kept)] !=
            program_.values[static_cast<std::size_t>(line.out[0])])
            return false;
        renamed_[static_cast<std::size_t>(line.out[0])] = renamed_[static_cast<std::size_t>(kept)];
        return true;
    }

    const Program& program_;
    Ref<Program> left_;
    std::vector<int> renamed_;  // by value: what stands for it in left_
    std::vector<char> late_;    // by value: does it depend on a seed?
    std::vector<char> absent_;  // by value
};

}  // namespace

std::unique_ptr<GradientHalves> halves_with(const CallGradient& all,
                                            const std::vector<char>& present) {
    const auto seeds = static_cast<int>(present.size());
    const auto first_seed = [&](const Program& p) {
        return static_cast<int>(p.inputs.size()) - seeds;
    };
    WithoutSeeds late(*all.backward, first_seed(*all.backward), present);
    WithoutSeeds both(*all.joint, first_seed(*all.joint), present);
    auto out = std::make_unique<GradientHalves>();
    for (std::size_t i = 0; i < all.given.size(); ++i)
        if (!late.is_absent(all.backward->outputs[i])) out->given.push_back(all.given[i]);
    std::size_t leaf = 0;
    for (const Line& line : all.joint->lines)
        if (line.op == &ops::leaf) {
            if (!both.is_absent(line.out[0]))
                out->joint_variables.push_back(all.joint_variables[leaf]);
            ++leaf;
        }
    out->backward = make<Callable>(late.finished(), all.forward->executor);
    out->joint = make<Callable>(both.finished(), all.forward->executor);
    return out;
}

}  // namespace tg
