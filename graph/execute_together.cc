#include "graph/execute_together.h"

#include <algorithm>
#include <numeric>

#include "core/ops/structural.h"
#include "kernels/parallel.h"

namespace tg {

using kernels::Array;

namespace {

constexpr std::int64_t chunk_elements = 16 << 10;
// Groups begin at multiples of this in the row, and so do chunks: then a chunk's first element in a
// group is the first of a cache line.
constexpr std::int64_t alignment = 64;

const Program& body_of(const Attrs& attrs) {
    const auto* body = dynamic_cast<const Program*>(attrs.object(0));
    if (!body) fail(ErrorKind::value, "together: the body is not a program");
    return *body;
}

const Desc& desc_of(const Program& p, int value) {
    return p.values[static_cast<std::size_t>(value)];
}

// A line as a group: the body of a fused line, or one made of an elementwise line by itself.
Ref<Program> group_of(const Program& program, const Line& line) {
    if (line.op == &fused) return Ref<Program>(static_cast<Program*>(line.attrs.object(0)));
    Ref<Program> body = make<Program>();
    Line alone = line;
    const auto give = [&](int& value) {
        body->values.push_back(desc_of(program, value));
        value = static_cast<int>(body->values.size()) - 1;
    };
    for (Operand& in : alone.in) {
        if (in.value < 0) continue;
        give(in.value);
        body->inputs.push_back({ProgramInput::argument, "", false});
    }
    give(alone.out[0]);
    body->outputs.push_back(alone.out[0]);
    body->lines.push_back(std::move(alone));
    return body;
}

}  // namespace

bool is_group(const Program& program, const Line& line) {
    return line.op == &fused || is_fusable(program, line);
}

bool makes_number(const Program& program, const Line& line) {
    const Dims& shape = desc_of(program, line.out[0]).shape;
    return std::all_of(shape.begin(), shape.end(), [](std::int64_t d) { return d == 1; });
}

// ---- the record --------------------------------------------------------------------------------

static Descs together_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    const Program& body = body_of(attrs);
    if (body.inputs.size() != in.size())
        fail(ErrorKind::value, "the body has ", body.inputs.size(), " inputs, the line ",
             in.size());
    if (body.lines.empty()) fail(ErrorKind::value, "the body has no lines");
    for (std::size_t i = 0; i < in.size(); ++i)
        if (!(in[i] == body.values[i]))
            fail(ErrorKind::value, "input ", i, " is ", text(in[i]), ", but the body's is ",
                 text(body.values[i]));
    std::vector<int> made;
    std::vector<char> readable(body.values.size(), 0);
    std::fill_n(readable.begin(), in.size(), 1);
    for (const Line& line : body.lines) {
        if (!is_group(body, line))
            fail(ErrorKind::value, line.op->name, " of ", text(desc_of(body, line.out[0])),
                 " has no place in a launch of elementwise groups");
        for (const Operand& operand : line.in)
            if (operand.value >= 0 && !readable[static_cast<std::size_t>(operand.value)])
                fail(ErrorKind::value, line.op->name, " reads %", operand.value,
                     ", which another group makes; only numbers may be read so");
        for (int out : line.out) {
            made.push_back(out);
            readable[static_cast<std::size_t>(out)] = makes_number(body, line);
        }
    }
    if (made != body.outputs) fail(ErrorKind::value, "the body returns not all that it makes");
    Descs descs;
    for (int output : made) descs.push_back(desc_of(body, output));
    return descs;
}

static void together_cpu(const Launch& launch) {
    TogetherGroups(body_of(launch.attrs), launch.in, launch.out).run(launch.in, launch.out);
}

const Op together = {.name = "together",
                     .shape = together_shape,
                     .cpu = together_cpu,
                     .attributes = {{"body", AttrKind::object}}};

// Where only the line that makes the output reads the input, and may write over it.
bool may_overwrite_together(const Line& line, int in, int out) {
    const Program& body = body_of(line.attrs);
    const int target = body.outputs[static_cast<std::size_t>(out)];
    for (const Line& group : body.lines) {
        const auto k = std::find(group.out.begin(), group.out.end(), target) - group.out.begin();
        const bool makes = k < group.out.size();
        for (int i = 0; i < group.in.size(); ++i)
            if (group.in[i].value == in &&
                (!makes || !may_overwrite(group, i, static_cast<int>(k))))
                return false;
    }
    return true;
}

// ---- making a launch ready ---------------------------------------------------------------------

TogetherGroups::TogetherGroups(const Program& body, std::span<const Array> in,
                               std::span<const Array> out) {
    std::vector<int> operand_of(body.values.size(), -1);
    std::iota(operand_of.begin(), operand_of.begin() + static_cast<std::ptrdiff_t>(in.size()), 0);
    int next = static_cast<int>(in.size());
    for (int output : body.outputs) operand_of[static_cast<std::size_t>(output)] = next++;
    for (const Line& line : body.lines) {
        std::vector<int> operands;
        std::vector<Array> arrays;
        const auto add = [&](int value) {
            const int operand = operand_of[static_cast<std::size_t>(value)];
            operands.push_back(operand);
            const auto at = static_cast<std::size_t>(operand);
            arrays.push_back(at < in.size() ? in[at] : out[at - in.size()]);
        };
        for (const Operand& operand : line.in)
            if (operand.value >= 0) add(operand.value);
        const std::size_t inputs = operands.size();
        for (int made : line.out) add(made);
        const std::span all(arrays);
        FusedGroup group(*group_of(body, line), all.first(inputs), all.subspan(inputs));
        if (makes_number(body, line)) {
            numbers_.push_back({std::move(group), std::move(operands), 0});
            continue;
        }
        const std::int64_t size = group.size();
        parts_.push_back({std::move(group), std::move(operands), row_});
        row_ += (size + alignment - 1) / alignment * alignment;
    }
}

// ---- running it --------------------------------------------------------------------------------

void TogetherGroups::run_part(const Part& part, char* const* data, std::int64_t begin,
                              std::int64_t end) const {
    char* own[most_group_inputs + most_group_lines];
    for (std::size_t i = 0; i < part.operands.size(); ++i)
        own[i] = data[static_cast<std::size_t>(part.operands[i])];
    part.group.run_part(own, begin, end);
}

// The elements begin .. end of the row: the end of one group, whole ones, the beginning of another.
void TogetherGroups::run_row(char* const* data, std::int64_t begin, std::int64_t end) const {
    auto part = std::upper_bound(parts_.begin(), parts_.end(), begin,
                                 [](std::int64_t at, const Part& p) { return at < p.begin; });
    for (--part; part != parts_.end() && part->begin < end; ++part) {
        const std::int64_t from = std::max(begin - part->begin, std::int64_t{0});
        const std::int64_t to = std::min(end - part->begin, part->group.size());
        if (from < to) run_part(*part, data, from, to);
    }
}

void TogetherGroups::run(std::span<const Array> in, std::span<const Array> out) const {
    std::vector<char*> data;
    data.reserve(in.size() + out.size());
    for (const Array& a : in) data.push_back(static_cast<char*>(a.data));
    for (const Array& a : out) data.push_back(static_cast<char*>(a.data));
    for (const Part& number : numbers_) run_part(number, data.data(), 0, 1);
    kernels::parallel_for(row_, chunk_elements, [&](std::int64_t begin, std::int64_t end) {
        run_row(data.data(), begin, end);
    });
}

}  // namespace tg
