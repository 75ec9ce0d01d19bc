// Prints a program. The text is what a learner reads, what two programs are compared by, and what
// parse_program (program_parse.cc) reads back:
//
//     program NAME
//       %0 = KIND NAME                      DTYPE SHAPE [cuda] [g]
//       %1 %2 = OP %0 2.5 ATTR=VALUE ...    DTYPE SHAPE [cuda], DTYPE SHAPE [cuda] [g] [FILE:LINE]
//         ATTR = program NAME               an attribute that is a program: its lines follow
//           ...
//       return %1 %2
//
// Numbers are printed so that the same bits are read back. A dim that is not known yet is ?1, ?2,
// ... in order of appearance: equal names, equal dims.
#include <cctype>
#include <map>

#include "core/apply.h"
#include "graph/program.h"
#include "kernels/parallel.h"

namespace tg {
namespace {

constexpr std::size_t desc_column = 44;

bool is_plain_name(const std::string& name) {
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
    for (char c : name)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.') return false;
    return true;
}

// A string in quotes, on one line: \" \\ \n, and \x1b for other control characters. With `ascii`
// also for all that is none: a constant's bytes.
std::string quoted(const std::string& s, bool ascii = false) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string out = "\"";
    for (char c : s) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out += std::string("\\") + c;
        else if (c == '\n')
            out += "\\n";
        else if (byte < 0x20 || byte == 0x7f || (ascii && byte > 0x7f))
            out += std::string("\\x") + hex[byte >> 4] + hex[byte & 15];
        else
            out += c;
    }
    return out + "\"";
}

std::string name_text(const std::string& name) { return is_plain_name(name) ? name : quoted(name); }

const char* kind_name(ProgramInput::Kind kind) {
    static constexpr const char* names[] = {"argument", "variable", "slot"};
    return names[kind];
}

class Writer {
  public:
    explicit Writer(bool places) : places_(places) {}

    void program(const Program& p, const std::string& indent) {
        out_ += "program " + name_text(p.name) + "\n";
        for (std::size_t i = 0; i < p.inputs.size(); ++i)
            input(p, static_cast<int>(i), indent + "  ");
        for (const Line& l : p.lines) line(p, l, indent + "  ");
        out_ += indent + "  return";
        for (int output : p.outputs) out_ += " %" + std::to_string(output);
        out_ += "\n";
    }
    std::string text() { return std::move(out_); }

  private:
    void input(const Program& p, int i, const std::string& indent) {
        const ProgramInput& in = p.inputs[static_cast<std::size_t>(i)];
        std::string s = indent + "%" + std::to_string(i) + " = " + kind_name(in.kind) + " " +
                        name_text(in.name);
        pad(s);
        s += desc(p.values[static_cast<std::size_t>(i)]);
        if (in.requires_grad) s += "   g";
        out_ += s + "\n";
    }

    void line(const Program& p, const Line& l, const std::string& indent) {
        if (kernels::stopping()) check_interrupt();
        std::string s = indent;
        for (int out : l.out) s += "%" + std::to_string(out) + " ";
        if (!l.out.empty()) s += "= ";
        s += l.op->name;
        for (const Operand& operand : l.in)
            s += operand.value >= 0 ? " %" + std::to_string(operand.value)
                                    : " " + tg::text(operand.scalar);
        for (int i = 0; i < l.attrs.size(); ++i)
            if (l.op->attributes[i].kind != AttrKind::object)
                s += std::string(" ") + l.op->attributes[i].name + "=" + attribute(l.attrs[i]);
        pad(s);
        for (int i = 0; i < l.out.size(); ++i)
            s += (i > 0 ? ", " : "") + desc(p.values[static_cast<std::size_t>(l.out[i])]);
        if (l.requires_grad) s += "   g";
        const std::string place = places_ ? tg::text(l.where) : "";
        if (!place.empty()) s += "   " + place;
        while (s.back() == ' ') s.pop_back();
        out_ += s + "\n";
        for (int i = 0; i < l.attrs.size(); ++i)
            if (l.op->attributes[i].kind == AttrKind::object)
                object(l.op->attributes[i].name, l.attrs[i], indent + "  ");
    }

    void object(const char* name, const Attr& attr, const std::string& indent) {
        const auto* held = std::get_if<Ref<Object>>(&attr.value);
        const Object* object = held ? held->get() : nullptr;
        out_ += indent + name + " = ";
        if (const auto* nested = dynamic_cast<const Program*>(object))
            program(*nested, indent);
        else
            out_ += (object ? object->text() : "nothing") + "\n";
    }

    std::string attribute(const Attr& attr) {
        if (const auto* x = std::get_if<std::int64_t>(&attr.value)) return std::to_string(*x);
        if (const auto* x = std::get_if<double>(&attr.value)) return tg::text(Scalar(*x));
        if (const auto* x = std::get_if<Dims>(&attr.value)) return dims(*x);
        if (const auto* x = std::get_if<DType>(&attr.value)) return name_of(*x);
        if (const auto* x = std::get_if<std::string>(&attr.value)) return quoted(*x, true);
        return "object";
    }

    std::string desc(const Desc& d) {
        std::string s = std::string(name_of(d.dtype)) + " " + dims(d.shape);
        return d.device == Device::cpu ? s : s + " " + name_of(d.device);
    }

    std::string dims(const Dims& list) {
        std::string s = "(";
        for (int i = 0; i < list.size(); ++i) {
            if (i > 0) s += ", ";
            s += is_unknown(list[i]) ? unknown(list[i]) : std::to_string(list[i]);
        }
        return s + (list.size() == 1 ? ",)" : ")");
    }

    std::string unknown(std::int64_t dim) {
        const int next = static_cast<int>(unknowns_.size()) + 1;
        return "?" + std::to_string(unknowns_.emplace(dim, next).first->second);
    }

    static void pad(std::string& s) {
        s.append(s.size() + 3 > desc_column ? 3 : desc_column - s.size(), ' ');
    }

    bool places_;
    std::map<std::int64_t, int> unknowns_;
    std::string out_;
};

std::string text_of(const Program& program, bool places) {
    Writer writer(places);
    writer.program(program, "");
    return writer.text();
}

}  // namespace

std::string Program::text() const { return text_of(*this, true); }

bool Program::equals(const Object& other) const {
    const auto* program = dynamic_cast<const Program*>(&other);
    return program && (program == this || text_of(*this, false) == text_of(*program, false));
}

}  // namespace tg
