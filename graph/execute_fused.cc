#include "graph/execute_fused.h"

#include <algorithm>
#include <cassert>

#include "core/ops/structural.h"
#include "graph/fused_inputs.h"
#include "kernels/parallel.h"

namespace tg {

using kernels::Array;

namespace {

constexpr std::int64_t scratch_bytes = 24 << 10;  // with the inputs' blocks, fits a 32 KB L1
constexpr std::int64_t longest_block = 1024;
constexpr std::int64_t chunk_elements = 16 * longest_block;

const Program& body_of(const Attrs& attrs) {
    const auto* body = dynamic_cast<const Program*>(attrs.object(0));
    if (!body) fail(ErrorKind::value, "fused: the body is not a program");
    return *body;
}

const Desc& desc_of(const Program& p, int value) {
    return p.values[static_cast<std::size_t>(value)];
}

}  // namespace

kernels::cpu::Block block_of(const Program& program, const Line& line) {
    if (line.op == &ops::cast)
        return kernels::cpu::cast_block(program.operand_desc(line, 0).dtype,
                                        desc_of(program, line.out[0]).dtype);
    if (!is_elementwise(*line.op)) return nullptr;
    const int first = line.op->promotes == Promotes::not_first ? 1 : 0;
    if (first == 1 && program.operand_desc(line, 0).dtype != DType::boolean) return nullptr;
    const DType dtype = program.operand_desc(line, first).dtype;
    for (int i = first; i < line.in.size(); ++i)
        if (program.operand_desc(line, i).dtype != dtype) return nullptr;
    return kernels::cpu::block(line.op->formula, dtype);
}

bool is_fusable(const Program& program, const Line& line) {
    if (!is_elementwise(*line.op) && line.op != &ops::cast) return false;
    return desc_of(program, line.out[0]).device == Device::cpu &&
           block_of(program, line) != nullptr;
}

// In a group, an output's block is written by its line; later lines must not need the input.
bool may_overwrite(const Line& line, int in, int out) {
    if (line.op != &fused) return is_elementwise(*line.op) || line.op == &ops::cast;
    const Program& body = body_of(line.attrs);
    for (auto l = body.lines.rbegin(); l != body.lines.rend(); ++l) {
        if (l->out[0] == body.outputs[static_cast<std::size_t>(out)]) return true;
        for (const Operand& operand : l->in)
            if (operand.value == in) return false;
    }
    return false;
}

// ---- the record --------------------------------------------------------------------------------

// What a text may get wrong is caught here, so that the kernel can trust the body.
static Descs fused_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    const Program& body = body_of(attrs);
    if (body.inputs.size() != in.size() || in.size() > most_group_inputs)
        fail(ErrorKind::value, "the body has ", body.inputs.size(), " inputs, the line ", in.size(),
             " of at most ", most_group_inputs);
    if (body.lines.empty() || body.lines.size() > most_group_lines || body.outputs.empty())
        fail(ErrorKind::value, "the body has ", body.lines.size(), " lines of at most ",
             most_group_lines, " and ", body.outputs.size(), " outputs");
    const Dims& shape = desc_of(body, body.lines[0].out[0]).shape;
    for (std::size_t i = 0; i < in.size(); ++i)
        if (!(in[i] == body.values[i]) || broadcast("fused", in[i].shape, shape) != shape)
            fail(ErrorKind::value, "input ", i, " is ", text(in[i]), ", but the body's is ",
                 text(body.values[i]), " and its lines make ", text(shape));
    for (const Line& line : body.lines)
        if (!block_of(body, line) || desc_of(body, line.out[0]).shape != shape)
            fail(ErrorKind::value, line.op->name, " of ", text(desc_of(body, line.out[0])),
                 " has no place in a group of ", text(shape));
    Descs descs;
    for (int output : body.outputs) {
        if (output < static_cast<int>(in.size()) ||
            std::count(body.outputs.begin(), body.outputs.end(), output) != 1)
            fail(ErrorKind::value, "the body returns %", output, ", an input or returned twice");
        descs.push_back(desc_of(body, output));
    }
    return descs;
}

static void fused_cpu(const Launch& launch) {
    FusedGroup(body_of(launch.attrs), launch.in, launch.out).run(launch.in, launch.out);
}

const Op fused = {.name = "fused",
                  .shape = fused_shape,
                  .cpu = fused_cpu,
                  .attributes = {{"body", AttrKind::object}}};

// ---- making a group ready ----------------------------------------------------------------------

FusedGroup::FusedGroup(const Program& body, std::span<const Array> in, std::span<const Array> out)
    : inputs_(static_cast<int>(body.inputs.size())),
      values_(static_cast<int>(body.values.size())),
      size_(out[0].size()),
      places_(body.values.size()),
      slot_of_(body.values.size(), -1),
      outputs_(body.outputs) {
    for (const Desc& d : body.values) width_ = std::max(width_, size_of(d.dtype));
    for (const Line& line : body.lines) add_step(body, line);
    for (std::size_t k = 0; k < numbers_.size(); ++k)
        places_.push_back({reinterpret_cast<char*>(&numbers_[k]), 0, 0});
    give_slots(body);
    lay_out(in, out);
}

void FusedGroup::add_step(const Program& body, const Line& line) {
    Step step{block_of(body, line), line.in.size(), {}, line.out[0]};
    assert(step.block);
    for (int i = 0; i < line.in.size(); ++i) {
        const Operand& operand = line.in[i];
        step.in[i] = operand.value;
        if (operand.value >= 0) continue;
        step.in[i] = values_ + static_cast<int>(numbers_.size());
        operand.scalar.write(&numbers_.emplace_back(), body.operand_desc(line, i).dtype);
    }
    steps_.push_back(step);
}

// Each value that stays inside gets a slot, which it leaves to another after its last use.
void FusedGroup::give_slots(const Program& body) {
    std::vector<int> last_use(body.values.size(), -1);
    for (std::size_t l = 0; l < steps_.size(); ++l)
        for (int i = 0; i < steps_[l].operands; ++i)
            if (steps_[l].in[i] < values_)
                last_use[static_cast<std::size_t>(steps_[l].in[i])] = static_cast<int>(l);
    std::vector<int> free;
    for (std::size_t l = 0; l < steps_.size(); ++l) {
        const Step& step = steps_[l];
        // A line may write over an operand that dies in it, if their elements are of one size.
        std::vector<int> left;
        for (int i = 0; i < step.operands; ++i) {
            if (step.in[i] >= values_) continue;
            const auto v = static_cast<std::size_t>(step.in[i]);
            if (slot_of_[v] < 0 || last_use[v] != static_cast<int>(l)) continue;
            const bool same =
                size_of(body.values[v].dtype) == size_of(desc_of(body, step.out).dtype);
            (same ? free : left).push_back(slot_of_[v]);
            last_use[v] = -1;
        }
        if (std::find(outputs_.begin(), outputs_.end(), step.out) == outputs_.end()) {
            if (free.empty()) free.push_back(slots_++);
            slot_of_[static_cast<std::size_t>(step.out)] = free.back();
            free.pop_back();
        }
        free.insert(free.end(), left.begin(), left.end());
    }
}

// How each input and output is walked through, and how long a block may be.
void FusedGroup::lay_out(std::span<const Array> in, std::span<const Array> out) {
    for (int i = 0; i < inputs_; ++i) {
        const Array a = collapsed(in[static_cast<std::size_t>(i)], out[0]);
        Place& place = places_[static_cast<std::size_t>(i)];
        if (a.dims == 0 || (a.dims == 1 && a.strides[0] == 0)) {
            place.step = 0;
        } else if (a.dims == 1 && a.strides[0] == 1) {
            place.walk = size_of(a.dtype);
        } else {
            gathered_.push_back(a);
            gathered_as_.push_back(i);
        }
    }
    for (std::size_t k = 0; k < outputs_.size(); ++k)
        places_[static_cast<std::size_t>(outputs_[k])].walk = size_of(out[k].dtype);
    const auto slots = std::max<std::int64_t>(slots_ + static_cast<int>(gathered_.size()), 1);
    block_ = std::min(longest_block, scratch_bytes / (slots * width_) / 64 * 64);
}

// ---- running it --------------------------------------------------------------------------------

void FusedGroup::run_part(char* const* data, std::int64_t begin, std::int64_t end) const {
    alignas(64) char scratch[scratch_bytes];
    Place places[most_places];
    std::copy(places_.begin(), places_.end(), places);
    for (int i = 0; i < inputs_; ++i) places[i].data = data[i];
    for (std::size_t k = 0; k < outputs_.size(); ++k)
        places[outputs_[k]].data = data[static_cast<std::size_t>(inputs_) + k];
    const std::int64_t slot_bytes = block_ * width_;
    for (int v = inputs_; v < values_; ++v) {
        const int slot = slot_of_[static_cast<std::size_t>(v)];
        if (slot >= 0) places[v].data = scratch + slot * slot_bytes;
    }
    const int gathers = static_cast<int>(gathered_.size());
    for (int i = 0; i < gathers; ++i)
        places[gathered_as_[static_cast<std::size_t>(i)]].data =
            scratch + (slots_ + i) * slot_bytes;

    for (; begin < end; begin += block_) {
        const std::int64_t n = std::min(block_, end - begin);
        for (int i = 0; i < gathers; ++i) {
            const auto g = static_cast<std::size_t>(i);
            Array a = gathered_[g];
            a.data = data[gathered_as_[g]];
            gather(a, begin, n, places[gathered_as_[g]].data);
        }
        for (const Step& step : steps_) {
            const void* in[3];
            int steps[3];
            for (int i = 0; i < step.operands; ++i) {
                const Place& place = places[step.in[i]];
                in[i] = place.data + begin * place.walk;
                steps[i] = place.step;
            }
            const Place& out = places[step.out];
            step.block(n, out.data + begin * out.walk, in, steps);
        }
    }
}

void FusedGroup::run(std::span<const Array> in, std::span<const Array> out) const {
    char* data[most_group_inputs + most_group_lines];
    for (std::size_t i = 0; i < in.size(); ++i) data[i] = static_cast<char*>(in[i].data);
    for (std::size_t k = 0; k < out.size(); ++k)
        data[in.size() + k] = static_cast<char*>(out[k].data);
    kernels::parallel_for(size_, chunk_elements, [&](std::int64_t begin, std::int64_t end) {
        run_part(data, begin, end);
    });
}

}  // namespace tg
