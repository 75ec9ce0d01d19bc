// A tape or a program as boxes and wires; svg_picture.cc draws them.
#include "graph/svg.h"

#include <cstdio>
#include <map>

#include "core/apply.h"
#include "core/backward.h"
#include "core/history.h"
#include "core/recording.h"
#include "graph/svg_picture.h"
#include "kernels/parallel.h"

namespace tg {
namespace {

using Box = Picture::Box;
using Wire = Picture::Wire;

constexpr const char* between = " \u00b7 ";

std::string number(std::size_t n) { return std::to_string(n); }

std::string joined(const std::string& a, const char* middle, const std::string& b) {
    return a.empty() ? b : b.empty() ? a : a + middle + b;
}

std::string text_of(const Attr& attr) {
    if (const auto* i = std::get_if<std::int64_t>(&attr.value)) return std::to_string(*i);
    if (const auto* x = std::get_if<double>(&attr.value)) return text(Scalar(*x));
    if (const auto* d = std::get_if<Dims>(&attr.value)) return text(*d);
    if (const auto* t = std::get_if<DType>(&attr.value)) return name_of(*t);
    if (const auto* s = std::get_if<std::string>(&attr.value))
        return s->size() > 16 ? number(s->size()) + " bytes" : "\"" + *s + "\"";
    return "...";
}

// But those that the output's description already tells.
std::string attributes_of(const Op& op, const Attrs& attrs, const Desc* out) {
    std::string s;
    for (int i = 0; i < attrs.size(); ++i) {
        const AttrSchema& schema = op.attributes[i];
        const auto* shape = std::get_if<Dims>(&attrs[i].value);
        if (schema.kind == AttrKind::object || schema.kind == AttrKind::dtype ||
            std::string(schema.name) == "device" || (shape && out && *shape == out->shape))
            continue;
        s = joined(s, " ", std::string(schema.name) + "=" + text_of(attrs[i]));
    }
    return s;
}

template <class List>
std::string descs_of(const List& descs) {
    std::string s;
    for (const Desc& d : descs) s = joined(s, ", ", text(d));
    return s;
}

// ---- a tape as boxes ---------------------------------------------------------------------------

std::string kept_by(const Node& node) {
    std::string s;
    for (const Saved& saved : node.saved) {
        const auto k = static_cast<char>(static_cast<int>(saved.what) - static_cast<int>(Need::a));
        s = joined(s, ", ", is_output(saved.what) ? "its result" : std::string(1, 'a' + k));
    }
    return node.freed ? "its kept values are freed" : s.empty() ? s : "keeps " + s;
}

// With as many digits as its dtype has.
std::string value_text(const Tensor& t) {
    const Scalar value = t.detach().item_scalar();
    if (t.dtype() != DType::float32) return text(value);
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.9g", value.as_real());
    return digits;
}

Picture picture_of(const Tape& tape) {
    Picture p;
    std::vector<int> box_of;
    for (std::size_t i = 0; i < tape.nodes.size(); ++i) {
        if (kernels::stopping()) check_interrupt();
        const Node& node = *tape.nodes[i];
        const bool is_leaf = std::string(node.op->name) == "leaf";
        Box box;
        box.role = is_leaf              ? Picture::variable
                   : node.requires_grad ? Picture::gradient
                                        : Picture::plain;
        box.title = "%" + number(i) + " " + node.op->name;
        box.kind = node.op->name;
        std::vector<Wire> wires;
        for (int k = 0; k < node.inputs.size(); ++k) {
            const Input& in = node.inputs[k];
            const int from = tape.edges[static_cast<std::size_t>(tape.first_edge[i] + k)];
            const std::string tip = " \u2192 %" + number(i) + " " + text(in.desc);
            if (in.is_scalar) {
                box.title += " " + text(in.scalar);
            } else if (from >= 0) {
                const Node& source = *tape.nodes[static_cast<std::size_t>(from)];
                wires.push_back({box_of[static_cast<std::size_t>(from)], 0,
                                 source.requires_grad && node.requires_grad,
                                 "%" + std::to_string(from) + tip});
            } else {
                wires.push_back({static_cast<int>(p.boxes.size()), 0, false, "value" + tip});
                p.boxes.push_back({Picture::data, "value", "value", text(in.desc), "", {}, false});
            }
        }
        box.detail = joined(descs_of(node.outputs), between,
                            attributes_of(*node.op, node.attrs, node.outputs.data()));
        box.place = text(node.where);
        if (const std::string kept = kept_by(node); !kept.empty()) box.rows.push_back(kept);
        box_of.push_back(static_cast<int>(p.boxes.size()));
        for (Wire& wire : wires) {
            wire.to = box_of.back();
            p.wires.push_back(std::move(wire));
        }
        p.boxes.push_back(std::move(box));
    }
    return p;
}

// ---- a program as boxes ------------------------------------------------------------------------

std::string operand_text(const Program& p, const Operand& operand) {
    if (operand.value < 0) return text(operand.scalar);
    const auto v = static_cast<std::size_t>(operand.value);
    return v < p.inputs.size() ? p.inputs[v].name : "%" + number(v);
}

// The program among a line's attributes, if there is one.
const Program* body_of(const Line& line) {
    for (int i = 0; i < line.attrs.size(); ++i)
        if (const auto* held = std::get_if<Ref<Object>>(&line.attrs[i].value))
            if (const auto* body = dynamic_cast<const Program*>(held->get())) return body;
    return nullptr;
}

// A group in a launch is told by its ops.
std::string line_text(const Program& p, const Line& line) {
    std::string s;
    for (int out : line.out) s += "%" + std::to_string(out) + " ";
    s += s.empty() ? "" : "= ";
    if (const Program* body = body_of(line)) {
        for (const Line& inner : body->lines) s += std::string(inner.op->name) + " ";
        s += "of";
    } else {
        s += line.op->name;
    }
    for (const Operand& in : line.in) s += " " + operand_text(p, in);
    return s;
}

Box box_of(const Program& p, const Line& line) {
    Box box;
    box.role = line.requires_grad ? Picture::gradient : Picture::plain;
    box.kind = line.op->name;
    for (int out : line.out) box.title += "%" + std::to_string(out) + " ";
    box.title += line.op->name;
    for (const Operand& in : line.in)
        if (in.value < 0) box.title += " " + text(in.scalar);
    std::vector<Desc> descs;
    for (int out : line.out) descs.push_back(p.values[static_cast<std::size_t>(out)]);
    box.detail =
        joined(descs_of(descs), between,
               attributes_of(*line.op, line.attrs, descs.empty() ? nullptr : descs.data()));
    box.place = text(line.where);
    if (const Program* body = body_of(line)) {
        box.role = Picture::group;
        for (const Line& inner : body->lines) {
            const std::string place = text(inner.where);
            box.rows.push_back(
                joined(line_text(*body, inner), between, place == box.place ? "" : place));
        }
    }
    return box;
}

Picture picture_of(const Program& program) {
    Picture p;
    p.title = program.name;
    std::vector<int> maker(program.values.size(), -1);
    std::vector<bool> flows(program.values.size(), false);
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
        const ProgramInput& in = program.inputs[i];
        static constexpr const char* kinds[] = {"argument", "variable", "slot"};
        const char* kind = kinds[static_cast<std::size_t>(in.kind)];
        const Picture::Role role = in.kind == ProgramInput::argument   ? Picture::argument
                                   : in.kind == ProgramInput::variable ? Picture::variable
                                                                       : Picture::slot;
        maker[i] = static_cast<int>(i);
        flows[i] = in.requires_grad;
        const std::string title = "%" + number(i) + " " + kind + " " + in.name;
        const bool many = program.inputs.size() > 20;  // few are drawn each, many may be folded
        p.boxes.push_back(
            {role, many ? kind : title, title, text(program.values[i]), "", {}, false});
    }
    for (const Line& line : program.lines) {
        const int to = static_cast<int>(p.boxes.size());
        p.boxes.push_back(box_of(program, line));
        for (const Operand& in : line.in) {
            if (in.value < 0) continue;
            const auto v = static_cast<std::size_t>(in.value);
            const std::string tip = "%" + number(v) + " " + text(program.values[v]);
            p.wires.push_back({maker[v], to, flows[v] && line.requires_grad, tip});
        }
        for (int out : line.out) {
            maker[static_cast<std::size_t>(out)] = to;
            flows[static_cast<std::size_t>(out)] = line.requires_grad;
        }
    }
    std::map<int, std::string> returns;
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
        std::string& s = returns[maker[static_cast<std::size_t>(program.outputs[i])]];
        s = joined(s, ", ", number(i));
    }
    for (const auto& [box, outputs] : returns) {
        p.boxes[static_cast<std::size_t>(box)].output = true;
        p.boxes[static_cast<std::size_t>(box)].rows.push_back("returned: " + outputs);
    }
    return p;
}

}  // namespace

std::string tape_svg(const Tensor& root) {
    if (!root.defined()) fail(ErrorKind::value, "tape_svg: this tensor is undefined");
    const RecordingScope now(nullptr);
    const Value value = root.is_symbolic() ? root.handle().seen : value_of(root);
    Picture p;
    if (value) {
        const Value roots[] = {value};
        p = picture_of(tape(roots));
    } else {
        p.boxes.push_back({Picture::data, "", "a value", describe(root), "", {}, false});
        p.boxes.back().rows.push_back("it does not require a gradient: there is no tape");
    }
    p.title = "tape";
    p.boxes.back().output = true;
    p.boxes.back().kind = "root";  // is never folded
    if (!root.is_symbolic() && root.numel() == 1)
        p.boxes.back().rows.push_back("= " + value_text(root));
    return svg(fold(std::move(p)));
}

std::string program_svg(const Program& program) { return svg(fold(picture_of(program))); }

}  // namespace tg
