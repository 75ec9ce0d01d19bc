// What a program answers about itself. Its text is in program_text.cc and program_parse.cc, its
// invariants in verify.cc.
#include "graph/program.h"

#include "graph/execute_fused.h"
#include "graph/execute_together.h"

namespace tg {

const Op* find_line_op(const std::string& name) {
    for (const Op* op : {&fused, &together})
        if (name == op->name) return op;
    return find_op(name);
}

// What `apply` made of the numbers in a line: they have the dtype that the line computes in, which
// its tensors have already, because apply wrote the casts.
static DType number_dtype(const Program& program, const Line& line, int i) {
    const int first = line.op->promotes == Promotes::not_first ? 1 : 0;
    if (line.op->promotes == Promotes::nothing || i < first) return line.in[i].scalar.dtype;
    Promotion numbers;
    for (int k = first; k < line.in.size(); ++k) {
        const int value = line.in[k].value;
        if (value >= 0) return program.values[static_cast<std::size_t>(value)].dtype;
        numbers.scalar(line.in[k].scalar);
    }
    const DType common = numbers.result();  // numbers only: where(condition, 1, 0)
    const bool floats = line.op->promotes == Promotes::floating;
    return floats && !is_floating(common) ? default_dtype() : common;
}

Desc Program::operand_desc(const Line& line, int i) const {
    const Operand& operand = line.in[i];
    if (operand.value >= 0) return values[static_cast<std::size_t>(operand.value)];
    Desc desc{{}, number_dtype(*this, line, i), Device::cpu};
    for (const Operand& other : line.in)
        if (other.value >= 0) desc.device = values[static_cast<std::size_t>(other.value)].device;
    return desc;
}

}  // namespace tg
