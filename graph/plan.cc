// Runs what plan_layout.cc laid out: a row of kernel calls whose operands are ready but for their
// addresses.
//
// Operands are kept in a *frame*, with the addresses of the run before. A run writes only those
// that have changed: the caching allocator mostly gives the same arena again. Runs at the same time
// have a frame and an arena each.
#include <mutex>

#include "core/apply.h"
#include "core/ops/structural.h"
#include "core/profiler.h"
#include "core/state.h"
#include "graph/execute_line.h"
#include "graph/execute_together.h"
#include "graph/fused_inputs.h"
#include "graph/plan_layout.h"

namespace tg {

using kernels::Array;

namespace {

// What an operand's address is counted from: an arena, an input or an output.
struct Patch {
    std::size_t array = 0;
    std::int64_t offset = 0;  // bytes
};

struct Base {
    std::vector<Patch> patches;  // the operands that lie there
};

struct Frame {
    std::vector<Array> arrays;
    std::vector<char*> bases;  // for which the arrays hold addresses now
};

// A small elementwise line whose operands are in order, or single elements, calls its loop straight
// away: on a few elements, all that a kernel does before it costs more than the loop.
constexpr std::int64_t small = 4096;

struct Loop {
    kernels::cpu::Block block = nullptr;
    std::int64_t n = 0;
    int steps[3] = {};
};

struct Launching {
    const Op* op = nullptr;
    const Attrs* attrs = nullptr;
    std::size_t in = 0, out = 0, end = 0;  // arrays in .. out are inputs, out .. end outputs
    const FusedGroup* group = nullptr;
    const TogetherGroups* together = nullptr;
    Loop loop;  // where it has a block, it is all that runs
    Device device = Device::cpu;
    Where where;
};

Loop loop_of(const Program& program, const PlanStep& step, std::span<const Array> in,
             const Array& out) {
    Loop loop;
    if (!step.line || step.device != Device::cpu || in.size() > 3 || out.size() > small ||
        out.size() == 0)
        return loop;
    for (std::size_t i = 0; i < in.size(); ++i) {
        const Array a = collapsed(in[i], out);
        if (a.dims > 1 || (a.dims == 1 && a.strides[0] > 1)) return loop;
        loop.steps[i] = a.dims == 1 ? static_cast<int>(a.strides[0]) : 0;
    }
    loop.block = block_of(program, *step.line);
    loop.n = out.size();
    return loop;
}

class ArenaBytes {
  public:
    ArenaBytes(std::int64_t bytes, Device device)
        : bytes_(bytes),
          device_(device),
          data_(bytes > 0 ? static_cast<char*>(allocator::take(bytes, device)) : nullptr) {}
    ~ArenaBytes() {
        if (data_) allocator::give(data_, bytes_, device_);
    }
    ArenaBytes(const ArenaBytes&) = delete;
    ArenaBytes& operator=(const ArenaBytes&) = delete;
    char* data() const { return data_; }

  private:
    std::int64_t bytes_;
    Device device_;
    char* data_;
};

const Attrs no_attributes;

}  // namespace

struct Plan::State {
    Ref<Program> program;
    PlanLayout layout;
    PlanStatistics statistics;
    std::vector<Launching> launches;
    std::vector<Base> bases;  // the two arenas, the inputs, the outputs
    std::vector<std::unique_ptr<std::uint64_t>> numbers;
    std::vector<std::unique_ptr<FusedGroup>> groups;
    std::vector<std::unique_ptr<TogetherGroups>> togethers;
    Frame first;  // what every frame is a copy of
    std::mutex mutex;
    std::vector<std::unique_ptr<Frame>> idle;

    std::size_t base_of(const Room& room) const {
        if (room.kind == Room::arena) return static_cast<std::size_t>(room.desc.device);
        const std::size_t before = room.kind == Room::input ? 2 : 2 + program->inputs.size();
        return before + static_cast<std::size_t>(room.index);
    }
    void add_operand(const Spot& spot);
    void add_launch(const PlanStep& step);
    std::unique_ptr<Frame> take_frame();
    void set_base(Frame& frame, std::size_t base, void* data) const;
    void launch(const Frame& frame) const;
};

// ---- once --------------------------------------------------------------------------------------

void Plan::State::add_operand(const Spot& spot) {
    Layout seen = spot.layout;
    void* fixed = nullptr;
    if (spot.room < 0) {
        numbers.push_back(std::make_unique<std::uint64_t>());
        spot.number.write(fixed = numbers.back().get(), spot.dtype);
    } else {
        const Room& room = layout.rooms[static_cast<std::size_t>(spot.room)];
        if (room.kind == Room::held) {
            fixed = layout.held[static_cast<std::size_t>(room.index)].data();
        } else {
            const std::int64_t offset = room.kind == Room::arena ? room.offset : 0;
            const std::int64_t within = spot.layout.offset * size_of(spot.dtype);
            bases[base_of(room)].patches.push_back({first.arrays.size(), offset + within});
            seen.offset = 0;  // it is in the patch
        }
    }
    first.arrays.push_back(array_of(fixed, spot.dtype, seen));
    first.arrays.back().number = spot.room < 0;
}

void Plan::State::add_launch(const PlanStep& step) {
    Launching launch;
    launch.op = step.line ? step.line->op : &ops::clone;
    launch.attrs = step.line ? &step.line->attrs : &no_attributes;
    launch.where = step.line ? step.line->where : Where{};
    launch.device = step.device;
    launch.in = first.arrays.size();
    for (const Spot& spot : step.in) add_operand(spot);
    launch.out = first.arrays.size();
    for (int number : step.out) {
        const Desc& desc = layout.rooms[static_cast<std::size_t>(number)].desc;
        add_operand({number, Layout::contiguous(desc.shape), desc.dtype, {}});
    }
    launch.end = first.arrays.size();
    const Array* const arrays = first.arrays.data();
    const std::span in(arrays + launch.in, launch.out - launch.in);
    const std::span out(arrays + launch.out, launch.end - launch.out);
    launch.loop = loop_of(*program, step, in, out[0]);
    const auto body = [&]() -> const Program& {
        return static_cast<const Program&>(*launch.attrs->object(0));
    };
    if (launch.op == &fused)
        launch.group = groups.emplace_back(std::make_unique<FusedGroup>(body(), in, out)).get();
    if (launch.op == &together)
        launch.together =
            togethers.emplace_back(std::make_unique<TogetherGroups>(body(), in, out)).get();
    launches.push_back(launch);
}

Plan::Plan(Ref<Program> program) : state_(std::make_unique<State>()) {
    State& s = *state_;
    s.program = std::move(program);
    for (const Desc& desc : s.program->values)
        if (any_unknown(desc.shape))
            fail(ErrorKind::runtime, "program ", s.program->name, " has a value of shape ",
                 tg::text(desc.shape), "; a plan needs to know every dim");
    s.layout = lay_out(*s.program);
    s.bases.resize(2 + s.program->inputs.size() + s.program->outputs.size());
    s.first.bases.resize(s.bases.size());
    for (const PlanStep& step : s.layout.steps) s.add_launch(step);
    s.statistics = {s.layout.arena_bytes[0] + s.layout.arena_bytes[1], s.layout.value_bytes,
                    static_cast<int>(s.launches.size())};
}

Plan::~Plan() = default;
const Program& Plan::program() const { return *state_->program; }
const PlanStatistics& Plan::statistics() const { return state_->statistics; }
std::string Plan::text() const { return tg::text(*state_->program, state_->layout); }

// ---- each run ----------------------------------------------------------------------------------

std::unique_ptr<Frame> Plan::State::take_frame() {
    std::lock_guard lock(mutex);
    if (idle.empty()) return std::make_unique<Frame>(first);
    std::unique_ptr<Frame> frame = std::move(idle.back());
    idle.pop_back();
    return frame;
}

void Plan::State::set_base(Frame& frame, std::size_t base, void* data) const {
    char* const start = static_cast<char*>(data);
    if (frame.bases[base] == start) return;
    frame.bases[base] = start;
    for (const Patch& patch : bases[base].patches)
        frame.arrays[patch.array].data = start + patch.offset;
}

static void run_loop(const Loop& loop, const Array* in, const Array* end) {
    const void* operands[3] = {};
    for (const Array* a = in; a != end; ++a) operands[a - in] = a->data;
    loop.block(loop.n, end->data, operands, loop.steps);
}

void Plan::State::launch(const Frame& frame) const {
    const Array* const arrays = frame.arrays.data();
    std::int64_t direct = 0;  // run_kernel counts the others
    const bool timed = profiling();
    for (const Launching& l : launches) {
        direct += l.loop.block || l.group || l.together;
        if (l.loop.block && !timed) {
            run_loop(l.loop, arrays + l.in, arrays + l.out);
            continue;
        }
        const std::span in(arrays + l.in, l.out - l.in);
        const std::span out(arrays + l.out, l.end - l.out);
        const Elsewhere here(l.where);  // an error in a kernel names the line of the op
        if (l.group) {
            const Timed scope("fused");
            l.group->run(in, out);
        } else if (l.together) {
            const Timed scope("together");
            l.together->run(in, out);
        } else if (l.loop.block) {
            const Timed scope(l.op->name);
            run_loop(l.loop, arrays + l.in, arrays + l.out);
        } else {
            run_kernel(*l.op, *l.attrs, in, out, l.device);
        }
        check_interrupt();
    }
    tg::state().ops_run.fetch_add(direct, std::memory_order_relaxed);
}

std::vector<Tensor> Plan::run(std::span<const Tensor> inputs) const {
    State& s = *state_;
    check_inputs(*s.program, inputs);
    const ArenaBytes cpu(s.layout.arena_bytes[0], Device::cpu);
    const ArenaBytes cuda(s.layout.arena_bytes[1], Device::cuda);
    std::unique_ptr<Frame> frame = s.take_frame();
    s.set_base(*frame, 0, cpu.data());
    s.set_base(*frame, 1, cuda.data());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].defined())
            s.set_base(*frame, 2 + i, inputs[i].data());
        else if (!s.bases[2 + i].patches.empty())
            fail(ErrorKind::runtime, "program ", s.program->name, ": input ", i, " (",
                 s.program->inputs[i].name, ") is used, but is an absent gradient");
    }
    std::vector<Tensor> outputs;
    outputs.reserve(s.program->outputs.size());
    for (int number : s.program->outputs) {
        const Desc& desc = s.program->values[static_cast<std::size_t>(number)];
        outputs.push_back(tensor_of(allocate(desc.shape, desc.dtype, desc.device),
                                    Layout::contiguous(desc.shape)));
        s.set_base(*frame, 2 + inputs.size() + outputs.size() - 1, outputs.back().data());
    }
    s.launch(*frame);
    std::lock_guard lock(s.mutex);
    s.idle.push_back(std::move(frame));
    return outputs;
}

}  // namespace tg
