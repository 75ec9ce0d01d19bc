#include "core/apply.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "core/anomaly.h"
#include "core/checkpoint.h"
#include "core/history.h"
#include "core/low_precision.h"
#include "core/ops.h"
#include "core/profiler.h"
#include "core/recording.h"
#include "core/state.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cuda/cuda.h"
#include "kernels/parallel.h"

namespace tg {
namespace {

using kernels::Array;

DType common_dtype(const Op& op, std::span<const Arg> inputs) {
    Promotion promotion;
    const std::size_t first = op.promotes == Promotes::not_first ? 1 : 0;
    for (std::size_t i = first; i < inputs.size(); ++i) {
        if (inputs[i].is_tensor())
            promotion.tensor(inputs[i].tensor.dtype(), inputs[i].tensor.dims() > 0);
        else
            promotion.scalar(inputs[i].scalar);
    }
    const DType common = promotion.result();
    return op.promotes == Promotes::floating && !is_floating(common) ? default_dtype() : common;
}

// As in PyTorch, a CPU tensor without dims goes where the others are in an elementwise op.
bool goes_along(const Op& op, const Arg& arg) {
    return is_elementwise(op) && arg.tensor.device() == Device::cpu && arg.tensor.dims() == 0;
}

Device common_device(const Op& op, std::span<const Arg> inputs) {
    const Tensor* first = nullptr;
    for (const Arg& arg : inputs) {
        if (!arg.is_tensor() || goes_along(op, arg)) continue;
        if (!first) first = &arg.tensor;
        if (arg.tensor.device() != first->device())
            fail(ErrorKind::runtime, op.name, ": one tensor is on ", name_of(first->device()),
                 " and another on ", name_of(arg.tensor.device()), "; move one with .to(\"",
                 name_of(arg.tensor.device()), "\") or .to(\"", name_of(first->device()), "\")");
    }
    return first ? first->device() : Device::cpu;
}

// A view's shape follows from what its rule makes of a contiguous layout.
Descs view_shape(const Op& op, const Desc& in, const Attrs& attrs) {
    Layout out;
    op.view(Layout::contiguous(in.shape), attrs, out);
    return {Desc{out.shape, in.dtype, in.device}};
}

Descs shape_of(const Op& op, const Prepared& p, const Attrs& attrs) {
    return op.shape ? op.shape(op, p.descs, attrs) : view_shape(op, p.descs[0], attrs);
}

// A view of x shares its storage and history; only the layout is new.
Tensor alias_of(const Tensor& x, const Op& op, const Attrs& attrs) {
    Ref<Handle> handle(new Handle);
    handle->storage = x.handle().storage;
    handle->history = x.handle().history;
    handle->version = handle->history->version;
    handle->born = recording() ? recording()->id : 0;
    if (!op.view(x.handle().layout, attrs, handle->layout))
        fail(ErrorKind::runtime, op.name, ": a tensor with strides ", text(x.strides()),
             " has no such view; call contiguous() first");
    return Tensor(handle);
}

void keep(Node& node, Need what, const Ref<Storage>& storage, const Layout& layout,
          std::uint32_t version) {
    for (const Saved& saved : node.saved)
        if (saved.what == what) return;
    node.saved.push_back(Saved{what, storage, layout, version});
}

// Keeps what the gradients of the inputs that want one need, and nothing else.
void keep_needed(Node& node, std::span<const Arg> inputs, std::span<const Tensor> outputs) {
    for (int i = 0; i < node.inputs.size(); ++i) {
        const Value& from = node.inputs[i].value;
        if (!from || !from.node->requires_grad) continue;
        for (Need need : node.op->needs[std::min(i, 2)]) {
            if (need == Need::nothing) continue;
            const bool output = is_output(need);
            const auto k = static_cast<std::size_t>(need) -
                           static_cast<std::size_t>(output ? Need::y : Need::a);
            if (!output && !inputs[k].is_tensor()) continue;
            const Tensor& t = output ? outputs[k] : inputs[k].tensor;
            keep(node, need, t.handle().storage, t.handle().layout, t.version());
        }
    }
}

bool any_floating(const Descs& descs) {
    for (const Desc& d : descs)
        if (is_floating(d.dtype)) return true;
    return false;
}

// ---- later: write the op down ------------------------------------------------------------------

Outputs write_down(Recording& r, const Op& op, const Attrs& attrs, const Prepared& p,
                   const Descs& descs) {
    Ref<Node> node = new_node(op, attrs);
    node->recording = r.id;
    node->outputs = descs;
    bool wanted = false;
    for (int i = 0; i < p.args.size(); ++i) {
        const Arg& arg = p.args[i];
        Input input{{}, p.descs[i], !arg.is_tensor(), arg.scalar};
        if (arg.is_tensor()) input.value = value_of(arg.tensor);
        wanted = wanted || (input.value && input.value.node->requires_grad);
        node->inputs.push_back(std::move(input));
    }
    // The inputs may have written lines of their own just now (a read, a stale view).
    node->id = state().next_node.fetch_add(1, std::memory_order_relaxed);
    node->requires_grad = wanted && grad_enabled() && op.gradient && any_floating(descs);
    Outputs outputs;
    for (int k = 0; k < descs.size(); ++k) {
        if (op.view) {
            Tensor t = alias_of(p.args[0].tensor, op, attrs);
            t.handle().seen = Value{node, 0};
            t.handle().seen_in = r.id;
            t.handle().version = r.state(t.handle().storage).version;
            // An unknown size that the rule made up has one name: the description's.
            if (any_unknown(descs[k].shape)) t.handle().layout.shape = descs[k].shape;
            outputs.push_back(t);
        } else {
            outputs.push_back(r.symbol(Value{node, k}, descs[k]));
        }
    }
    if (node->requires_grad) keep_needed(*node, p.args, outputs);
    if (op.writes_state) r.effects.push_back(node);
    return outputs;
}

// ---- now: run it -------------------------------------------------------------------------------

Outputs run(const Op& op, const Attrs& attrs, const Prepared& p, const Descs& descs) {
    Outputs outputs;
    if (op.view) {
        outputs.push_back(alias_of(p.args[0].tensor, op, attrs));
        state().ops_run.fetch_add(1, std::memory_order_relaxed);
    } else {
        Inline<Array, 3> in;
        Inline<Array, 1> out;
        alignas(8) unsigned char numbers[4][8];
        int n = 0;
        for (int i = 0; i < p.args.size(); ++i) {
            if (p.args[i].is_tensor()) {
                if (p.args[i].tensor.is_symbolic()) no_value(p.args[i].tensor, op.name);
                in.push_back(array_of(p.args[i].tensor));
            } else {
                assert(n < 4);
                p.args[i].scalar.write(numbers[n], p.descs[i].dtype);
                in.push_back(array_of(numbers[n++], p.descs[i].dtype, Layout{}));
                in.back().number = true;
            }
        }
        for (const Desc& d : descs) {
            outputs.push_back(
                tensor_of(allocate(d.shape, d.dtype, d.device), Layout::contiguous(d.shape)));
            out.push_back(array_of(outputs.back()));
        }
        run_kernel(op, attrs, in, out, descs[0].device);
        check_interrupt();
    }
    if (Ref<Node> node = record_node(op, attrs, p, outputs)) {
        for (int k = 0; k < outputs.size(); ++k) {
            if (!is_floating(descs[k].dtype)) continue;
            Handle& handle = outputs[k].handle();
            handle.seen = Value{node, k};
            if (!op.view) handle.history->now = handle.seen;
        }
    }
    return outputs;
}

// ---- CUDA --------------------------------------------------------------------------------------

// How many elements from the first to the last that an array reaches, both counted.
std::int64_t reach(const Array& a) {
    std::int64_t last = 0;
    for (int d = 0; d < a.dims; ++d) {
        if (a.shape[d] == 0) return 0;
        last += (a.shape[d] - 1) * a.strides[d];
    }
    return last + 1;
}

void tell_once(const Op& op) {
    static std::mutex& mutex = *new std::mutex;
    static std::set<std::string>& told = *new std::set<std::string>;
    std::lock_guard lock(mutex);
    if (told.insert(op.name).second)
        std::fprintf(stderr, "tapegraph: %s has no CUDA kernel for this case; it runs on the CPU\n",
                     op.name);
}

// Brings a CUDA op's operands to the CPU, runs the CPU's kernel, and takes the results back.
void run_by_cpu(const Launch& launch) {
    tell_once(launch.op);
    std::vector<std::vector<std::uint64_t>> room;  // of words, so that all dtypes align
    const auto fetched = [&](const Array& a) {
        Array host = a;
        const std::int64_t bytes = reach(a) * size_of(a.dtype);
        room.emplace_back(static_cast<std::size_t>(bytes / 8 + 1));
        host.data = room.back().data();
        copy_bytes(host.data, Device::cpu, a.data, Device::cuda, bytes);
        return host;
    };
    Inline<Array, 3> in;
    Inline<Array, 1> out;
    for (const Array& a : launch.in) in.push_back(fetched(a));
    for (const Array& a : launch.out) out.push_back(fetched(a));
    run_on_cpu({launch.op, launch.attrs, in, out});
    for (int k = 0; k < out.size(); ++k)
        copy_bytes(launch.out[static_cast<std::size_t>(k)].data, Device::cuda, out[k].data,
                   Device::cpu, reach(out[k]) * size_of(out[k].dtype));
}

void run_on_cuda(const Launch& launch) {
    // Numbers beside the tensors are on the host; a kernel wants all its inputs on the device.
    Inline<Array, 3> in;
    struct GiveBack {
        void operator()(void* block) const { allocator::give(block, 8, Device::cuda); }
    };
    std::vector<std::unique_ptr<void, GiveBack>> lent;
    for (const Array& a : launch.in) {
        in.push_back(a);
        if (!a.number) continue;
        lent.emplace_back(allocator::take(8, Device::cuda));
        copy_bytes(lent.back().get(), Device::cuda, a.data, Device::cpu, size_of(a.dtype));
        in.back().data = lent.back().get();
        in.back().number = false;
    }
    const Launch device{launch.op, launch.attrs, in, launch.out};
    if (!run_kernel_on_cuda(device)) run_by_cpu(device);
    const std::string error = kernels::cuda::backend().last_error();
    if (!error.empty()) fail(ErrorKind::runtime, launch.op.name, ": CUDA: ", error);
}

}  // namespace

// ---- the door ----------------------------------------------------------------------------------

Outputs apply_all(const Op& op, std::span<const Arg> inputs, const Attrs& attrs) {
    const Here here(inputs.empty() ? Where{} : inputs[0].where);
    const Prepared prepared = prepare(op, inputs);
    const Descs descs = shape_of(op, prepared, attrs);
    Recording* r = recording();
    Outputs outputs =
        r ? write_down(*r, op, attrs, prepared, descs) : run(op, attrs, prepared, descs);
    if (Observer* observer = thread_state().observer) observer->applied(op, outputs);
    return outputs;
}

Tensor apply(const Op& op, std::span<const Arg> inputs, const Attrs& attrs) {
    return std::move(apply_all(op, inputs, attrs)[0]);
}

Tensor apply(const Op& op, std::initializer_list<Arg> inputs, const Attrs& attrs) {
    return std::move(apply_all(op, {inputs.begin(), inputs.size()}, attrs)[0]);
}

Prepared prepare(const Op& op, std::span<const Arg> inputs) {
    Prepared p;
    const bool promotes = op.promotes != Promotes::nothing;
    const DType common = promotes ? common_dtype(op, inputs) : DType::float32;
    const Device device = common_device(op, inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Arg& arg = inputs[i];
        const bool keeps = !promotes || (i == 0 && op.promotes == Promotes::not_first);
        if (!arg.is_tensor()) {
            p.args.push_back(arg);
            p.descs.push_back(Desc{{}, keeps ? arg.scalar.dtype : common, device});
            continue;
        }
        const DType dtype = keeps ? arg.tensor.dtype() : common;
        const bool there = arg.tensor.device() == device;
        if (arg.tensor.dtype() == dtype && there)
            p.args.push_back(arg);
        else if (there)
            p.args.push_back(Arg(cast(arg, dtype)));
        else
            p.args.push_back(Arg(cast(to(arg, device), dtype)));
        p.descs.push_back(Desc{arg.tensor.shape(), dtype, device});
    }
    return p;
}

Ref<Node> record_node(const Op& op, const Attrs& attrs, const Prepared& inputs,
                      std::span<const Tensor> outputs) {
    if (!grad_enabled() || !op.gradient) return nullptr;
    bool wanted = false;
    bool floating = false;
    for (const Arg& arg : inputs.args)
        wanted = wanted || (arg.is_tensor() && arg.tensor.requires_grad());
    for (const Tensor& t : outputs) floating = floating || is_floating(t.dtype());
    if (!wanted || !floating) return nullptr;
    Inline<Value, 2> values;  // before the node, so that ids keep order
    for (const Arg& arg : inputs.args)
        values.push_back(arg.is_tensor() && arg.tensor.requires_grad() ? value_of(arg.tensor)
                                                                       : Value{});
    Ref<Node> node = new_node(op, attrs);
    node->requires_grad = true;
    for (int i = 0; i < inputs.args.size(); ++i) {
        const Arg& arg = inputs.args[i];
        node->inputs.push_back(
            Input{std::move(values[i]), inputs.descs[i], !arg.is_tensor(), arg.scalar});
    }
    for (const Tensor& t : outputs) node->outputs.push_back(Desc{t.shape(), t.dtype(), t.device()});
    keep_needed(*node, inputs.args, outputs);
    note_in_checkpoint(node);
    return node;
}

kernels::Array array_of(void* base, DType dtype, const Layout& layout) {
    Array a;
    a.data = static_cast<char*>(base) + layout.offset * size_of(dtype);
    a.dtype = dtype;
    a.dims = layout.shape.size();
    std::copy_n(layout.shape.values, max_dims, a.shape);
    std::copy_n(layout.strides.values, max_dims, a.strides);
    return a;
}

kernels::Array array_of(const Tensor& tensor) {
    const Handle& handle = tensor.handle();
    if (tensor.is_symbolic()) tensor.data();  // throws, and says where it is from
    return array_of(handle.storage->data, handle.storage->dtype, handle.layout);
}

void run_kernel(const Op& op, const Attrs& attrs, std::span<const Array> in,
                std::span<const Array> out, Device device) {
    state().ops_run.fetch_add(1, std::memory_order_relaxed);
    const Launch launch{op, attrs, in, out};
    {
        const Timed timed(op.name);
        if (device == Device::cpu)
            run_on_cpu(launch);
        else
            run_on_cuda(launch);
    }
    if (detects_anomaly()) check_anomaly(launch, device);
}

void check_interrupt() {
    if (!kernels::interrupted()) return;
    kernels::clear_interrupted();
    fail(ErrorKind::interrupt, "interrupted");
}

}  // namespace tg
