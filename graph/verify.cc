// The invariants of a program. Passes are checked by it after each step, texts as they are read:
// so whatever runs a program need not ask again.
#include <string_view>

#include "graph/program.h"

namespace tg {
namespace {

constexpr std::int64_t most_elements = std::int64_t{1} << 48;

std::string place(const Line& line) {
    std::string s;
    for (int out : line.out) s += "%" + std::to_string(out) + " ";
    return s + (line.out.empty() ? "" : "= ") + (line.op ? line.op->name : "?") + at(line.where);
}

template <class... Parts>
[[noreturn]] void broken(const Line& line, const Parts&... parts) {
    fail(ErrorKind::value, place(line), ": ", parts...);
}

void check_desc(const std::string& what, const Desc& desc) {
    std::int64_t n = 1;
    for (std::int64_t d : desc.shape) {
        if (d < 0 && !is_unknown(d)) fail(ErrorKind::value, what, " has a dim of ", d);
        if (is_unknown(d) || d == 0) continue;
        if (d > most_elements / n)
            fail(ErrorKind::memory, what, " of shape ", text(desc.shape), " is too large");
        n *= d;
    }
}

void check_attributes(const Line& line) {
    const int due = attribute_count(*line.op);
    if (line.attrs.size() != due)
        broken(line, "has ", line.attrs.size(), " attributes, but its op has ", due);
    for (int i = 0; i < due; ++i) {
        const AttrSchema& schema = line.op->attributes[i];
        const Attr& attr = line.attrs[i];
        // The kinds are in the order of the variant. A number may have been written as a whole one.
        const bool whole = schema.kind == AttrKind::real && attr.value.index() == 0;
        if (attr.value.index() != static_cast<std::size_t>(schema.kind) && !whole)
            broken(line, "attribute ", schema.name, " is not of its kind");
        if (schema.kind != AttrKind::object) continue;
        if (!line.attrs.object(i)) broken(line, "attribute ", schema.name, " holds nothing");
        if (const auto* nested = dynamic_cast<const Program*>(line.attrs.object(i)))
            verify(*nested);
    }
}

// What is called dim or dims names dims of the first input, and is wrapped by now.
void check_dims(const Program& program, const Line& line) {
    if (line.in.empty()) return;
    const int n = program.operand_desc(line, 0).shape.size();
    const int most = std::string_view(line.op->name) == "unsqueeze" ? n : n - 1;
    const auto check = [&](std::int64_t dim) {
        if (dim < 0 || dim > most)
            broken(line, "names dim ", dim, ", but its input has ", n, " dims");
    };
    for (int i = 0; i < line.attrs.size(); ++i) {
        const std::string_view name = line.op->attributes[i].name;
        if (name != "dim" && name != "dims") continue;
        if (const auto* dim = std::get_if<std::int64_t>(&line.attrs[i].value)) check(*dim);
        if (const auto* dims = std::get_if<Dims>(&line.attrs[i].value))
            for (std::int64_t dim : *dims) check(dim);
    }
}

void check_operands(const Program& program, const Line& line) {
    const Op& op = *line.op;
    if (op.inputs >= 0 && line.in.size() != op.inputs)
        broken(line, "has ", line.in.size(), " inputs, but its op has ", op.inputs);
    for (const Operand& operand : line.in)
        if (operand.value < -1 || operand.value >= static_cast<int>(program.values.size()))
            broken(line, "uses %", operand.value, ", but there are ", program.values.size(),
                   " values");
    if ((op.view || op.alias) && (line.in.empty() || line.in[0].value < 0))
        broken(line, "is an alias, but of no value");
    if (op.promotes == Promotes::nothing) return;
    // A kernel reads all its operands as one dtype.
    const int first = op.promotes == Promotes::not_first ? 1 : 0;
    for (int i = first; i < line.in.size(); ++i) {
        const Desc a = program.operand_desc(line, first);
        const Desc b = program.operand_desc(line, i);
        if (a.dtype != b.dtype || a.device != b.device)
            broken(line, "mixes ", text(a), " on ", name_of(a.device), " and ", text(b), " on ",
                   name_of(b.device), "; a cast is missing");
    }
    if (op.promotes == Promotes::floating && !is_floating(program.operand_desc(line, 0).dtype))
        broken(line, "needs a floating dtype; a cast is missing");
}

// What the op's rule says that the line makes.
Descs made_by(const Program& program, const Line& line) {
    const Op& op = *line.op;
    std::vector<Desc> in;
    for (int i = 0; i < line.in.size(); ++i) in.push_back(program.operand_desc(line, i));
    try {
        if (op.shape) return op.shape(op, in, line.attrs);
        if (!op.view) return {in[0]};
        Layout out;
        op.view(Layout::contiguous(in[0].shape), line.attrs, out);
        return {Desc{out.shape, in[0].dtype, in[0].device}};
    } catch (const Error& e) {
        broken(line, e.what());
    }
}

// Two dims that are both unknown may turn out the same when the graph runs.
bool agree(const Desc& a, const Desc& b) {
    if (a.dtype != b.dtype || a.device != b.device || a.shape.size() != b.shape.size())
        return false;
    for (int d = 0; d < a.shape.size(); ++d)
        if (a.shape[d] != b.shape[d] && !(is_unknown(a.shape[d]) && is_unknown(b.shape[d])))
            return false;
    return true;
}

}  // namespace

void verify_line(const Program& program, const Line& line) {
    if (!line.op) broken(line, "has no op");
    for (int out : line.out) {
        if (out < 0 || out >= static_cast<int>(program.values.size()))
            broken(line, "makes %", out, ", but there are ", program.values.size(), " values");
        check_desc("%" + std::to_string(out), program.values[static_cast<std::size_t>(out)]);
    }
    check_operands(program, line);
    check_attributes(line);
    check_dims(program, line);
    const Descs made = made_by(program, line);
    if (made.size() != line.out.size())
        broken(line, "makes ", line.out.size(), " values, but its op makes ", made.size());
    for (int k = 0; k < made.size(); ++k) {
        const Desc& value = program.values[static_cast<std::size_t>(line.out[k])];
        if (!agree(made[k], value))
            broken(line, "%", line.out[k], " is ", text(value), " on ", name_of(value.device),
                   ", but its op makes ", text(made[k]), " on ", name_of(made[k].device));
    }
}

void verify(const Program& program) {
    const std::size_t count = program.values.size();
    std::vector<char> made(count, 0);
    if (program.inputs.size() > count)
        fail(ErrorKind::value, "program ", program.name, " has ", program.inputs.size(),
             " inputs, but ", count, " values");
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
        check_desc("%" + std::to_string(i), program.values[i]);
        made[i] = 1;
    }
    for (const Line& line : program.lines) {
        verify_line(program, line);
        for (const Operand& operand : line.in)
            if (operand.value >= 0 && !made[static_cast<std::size_t>(operand.value)])
                broken(line, "uses %", operand.value, " before it is made");
        for (int out : line.out)
            if (made[static_cast<std::size_t>(out)]++) broken(line, "makes %", out, " again");
    }
    for (int output : program.outputs)
        if (output < 0 || output >= static_cast<int>(count) ||
            !made[static_cast<std::size_t>(output)])
            fail(ErrorKind::value, "program ", program.name, " returns %", output,
                 ", which nothing makes");
}

}  // namespace tg
