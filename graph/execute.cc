// The reference: a program is run line by line, every value a tensor of its own. Set a breakpoint
// in the loop of `execute` and look at `values`. plan.cc does the same work with less of it.
#include "graph/execute.h"

#include "core/apply.h"
#include "core/ops/structural.h"
#include "graph/execute_line.h"

namespace tg {
namespace {

const Tensor& defined(const Line& line, const Tensor& value) {
    if (!value.defined())
        fail(ErrorKind::runtime, line.op->name, at(line.where),
             ": its input is an absent gradient");
    return value;
}

Tensor new_tensor(const Desc& desc) {
    return tensor_of(allocate(desc.shape, desc.dtype, desc.device), Layout::contiguous(desc.shape));
}

// A copy in a storage of its own, in order.
Tensor copied(const Tensor& value) {
    const Tensor copy = new_tensor({value.shape(), value.dtype(), value.device()});
    const kernels::Array in = array_of(value);
    const kernels::Array out = array_of(copy);
    run_kernel(ops::clone, {}, {&in, 1}, {&out, 1}, value.device());
    return copy;
}

// What an alias line makes: the input itself, or a view of its storage.
Tensor alias(const Line& line, const Tensor& input) {
    if (!line.op->view) return input;
    Layout layout;
    if (line.op->view(input.handle().layout, line.attrs, layout))
        return tensor_of(input.handle().storage, layout);
    const Tensor ordered = copied(input);  // reshape of a transposed tensor, for one
    line.op->view(ordered.handle().layout, line.attrs, layout);
    return tensor_of(ordered.handle().storage, layout);
}

// Runs a line that computes.
void compute(const Program& program, const Line& line, std::vector<Tensor>& values) {
    std::vector<kernels::Array> in, out;
    std::vector<std::uint64_t> numbers(static_cast<std::size_t>(line.in.size()));
    for (int i = 0; i < line.in.size(); ++i) {
        const Operand& operand = line.in[i];
        if (operand.value >= 0) {
            const Tensor& value = values[static_cast<std::size_t>(operand.value)];
            in.push_back(array_of(defined(line, value)));
        } else {
            const DType dtype = program.operand_desc(line, i).dtype;
            std::uint64_t& number = numbers[static_cast<std::size_t>(i)];
            operand.scalar.write(&number, dtype);
            in.push_back(array_of(&number, dtype, Layout{}));
        }
    }
    for (int k : line.out) {
        const auto v = static_cast<std::size_t>(k);
        values[v] = new_tensor(program.values[v]);
        out.push_back(array_of(values[v]));
    }
    const Device device = program.values[static_cast<std::size_t>(line.out[0])].device;
    run_kernel(*line.op, line.attrs, in, out, device);
}

// Every output is whole, in order, and shares bytes with nothing.
std::vector<Tensor> outputs_of(const Program& program, const std::vector<Tensor>& values) {
    std::vector<Tensor> outputs;
    for (int number : program.outputs) {
        const Tensor& value = values[static_cast<std::size_t>(number)];
        bool shared = false;
        const auto shares = [&](const Tensor& t) {
            return t.defined() && t.handle().storage == value.handle().storage;
        };
        for (std::size_t i = 0; value.defined() && i < program.inputs.size(); ++i)
            shared = shared || shares(values[i]);
        for (const Tensor& earlier : outputs)
            shared = shared || (value.defined() && shares(earlier));
        const bool own = value.defined() && !shared && value.is_contiguous() &&
                         value.shape() == value.handle().storage->shape;
        outputs.push_back(!value.defined() ? Tensor{} : own ? value : copied(value));
    }
    return outputs;
}

}  // namespace

void check_inputs(const Program& program, std::span<const Tensor> inputs) {
    if (inputs.size() != program.inputs.size())
        fail(ErrorKind::runtime, "program ", program.name, " has ", program.inputs.size(),
             " inputs, but was given ", inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!inputs[i].defined()) continue;
        const Desc& due = program.values[i];
        const Layout& layout = inputs[i].handle().layout;
        if (layout.shape == due.shape && inputs[i].dtype() == due.dtype &&
            inputs[i].device() == due.device && layout.is_contiguous())
            continue;
        fail(ErrorKind::runtime, "program ", program.name, ": input ", i, " (",
             program.inputs[i].name, ") is ", text(due), " on ", name_of(due.device),
             ", contiguous, but was given ", describe(inputs[i]), " on ",
             name_of(inputs[i].device()), " with strides ", text(inputs[i].strides()));
    }
}

void run_line(const Program& program, const Line& line, std::vector<Tensor>& values) {
    const Elsewhere here(line.where);  // an error in a kernel names the line of the op
    if (line.op->alias || line.op->view) {
        for (int k = 0; k < line.out.size(); ++k) {
            const Tensor& input = values[static_cast<std::size_t>(line.in[k].value)];
            values[static_cast<std::size_t>(line.out[k])] = alias(line, defined(line, input));
        }
    } else {
        compute(program, line, values);
    }
    check_interrupt();
}

std::vector<Tensor> execute(const Program& program, std::span<const Tensor> inputs) {
    check_inputs(program, inputs);
    std::vector<Tensor> values(inputs.begin(), inputs.end());
    values.resize(program.values.size());
    for (const Line& line : program.lines) run_line(program, line, values);
    return outputs_of(program, values);
}

}  // namespace tg
