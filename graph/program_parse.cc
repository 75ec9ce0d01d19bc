// Reads a program's text; the grammar is at the head of program_text.cc. Each line is checked as
// soon as it is read, so an error names the text's line, and what comes out is verified.
#include <charconv>
#include <map>
#include <mutex>
#include <set>
#include <string_view>

#include "core/apply.h"
#include "graph/program.h"
#include "kernels/parallel.h"

namespace tg {
namespace {

constexpr int deepest = 32;       // programs within programs; a file may not use up the stack
constexpr int highest = 1 << 20;  // a value's number; nor the memory

// A place from a text has no code behind it: its file's name is kept for good, once each.
const char* kept_name(std::string_view name) {
    static std::mutex& mutex = *new std::mutex;
    static std::set<std::string>& names = *new std::set<std::string>;
    std::lock_guard lock(mutex);
    return names.emplace(name).first->c_str();
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

// What is left of one line, and how to take the next piece of it.
class Reader {
  public:
    Reader(std::string_view rest, int number) : rest_(rest), number_(number) {}

    template <class... Parts>
    [[noreturn]] void error(const Parts&... parts) const {
        fail(ErrorKind::value, "program text, line ", number_, ": ", parts...);
    }
    bool at_end() {
        skip_spaces();
        return rest_.empty();
    }
    char peek() {
        skip_spaces();
        return rest_.empty() ? '\0' : rest_[0];
    }
    bool accept(char c) {
        if (peek() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!accept(c)) error("expected '", c, "' before '", rest_.substr(0, 20), "'");
    }
    std::string_view peek_word() {
        skip_spaces();
        std::size_t n = 0;
        while (n < rest_.size() && is_word(rest_[n])) ++n;
        return rest_.substr(0, n);
    }
    std::string_view word(const char* what) {
        const std::string_view w = peek_word();
        if (w.empty()) error("expected ", what, " before '", rest_.substr(0, 20), "'");
        rest_.remove_prefix(w.size());
        return w;
    }
    template <class T>
    T number(const char* what) {
        skip_spaces();
        T value{};
        const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (code == std::errc::invalid_argument)
            error("expected ", what, " before '", rest_.substr(0, 20), "'");
        if (code != std::errc{})
            error(what, " is out of range: '", rest_.substr(0, rest_.find_first_of(" ,)")), "'");
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return value;
    }
    std::string name();
    Scalar scalar();
    std::string_view take_rest() { return std::exchange(rest_, {}); }

  private:
    void skip_spaces() {
        while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\r'))
            rest_.remove_prefix(1);
    }
    std::string_view rest_;
    int number_;
};

// A plain word, or a string in quotes.
std::string Reader::name() {
    if (!accept('"')) return std::string(word("a name"));
    std::string s;
    while (!rest_.empty() && rest_[0] != '"') {
        const char c = rest_[0];
        rest_.remove_prefix(1);
        if (c != '\\') {
            s += c;
            continue;
        }
        const char escape = rest_.empty() ? '\0' : rest_[0];
        rest_.remove_prefix(rest_.empty() ? 0 : 1);
        unsigned byte = 0;
        if (escape == 'n') {
            s += '\n';
        } else if (escape == '"' || escape == '\\') {
            s += escape;
        } else if (escape == 'x' && rest_.size() >= 2 &&
                   std::from_chars(rest_.data(), rest_.data() + 2, byte, 16).ptr ==
                       rest_.data() + 2) {
            s += static_cast<char>(byte);
            rest_.remove_prefix(2);
        } else {
            error("a string has a '\\' before '", rest_.substr(0, 20), "'");
        }
    }
    if (rest_.empty()) error("a string has no closing quote");
    rest_.remove_prefix(1);
    return s;
}

// True, 3 or 3.0: as tg::text(Scalar) prints it.
Scalar Reader::scalar() {
    if (peek_word() == "True" || peek_word() == "False") return Scalar(word("a number") == "True");
    const std::size_t sign = peek() == '-' ? 1 : 0;
    std::size_t n = sign;
    bool real = false;
    for (; n < rest_.size() && (is_word(rest_[n]) || rest_[n] == '-' || rest_[n] == '+'); ++n)
        real = real || rest_[n] == '.' || rest_[n] == 'e' || rest_[n] == 'n';  // inf, nan
    if (real) return Scalar(number<double>("a number"));
    return Scalar(static_cast<long long>(number<std::int64_t>("a number")));
}

class Parser {
  public:
    explicit Parser(std::string_view text)
        : rest_(text),
          highest_(highest + static_cast<int>(std::min<std::size_t>(text.size(), 1u << 30))) {}

    Ref<Program> all() {
        Reader first = next();
        Ref<Program> p = program(first, 0);
        while (!rest_.empty()) {
            Reader line = next();
            if (!line.at_end()) line.error("the program ended before this line");
        }
        return p;
    }

  private:
    struct Scope {
        Program& program;
        std::vector<char> made;  // by value
    };

    Reader next() {
        ++number_;
        if (rest_.empty()) Reader("", number_).error("the text ends before its `return`");
        const std::size_t end = rest_.find('\n');
        if (end == std::string_view::npos)
            Reader("", number_).error("the line has no end; is the text cut short?");
        const std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        if (kernels::stopping()) check_interrupt();
        return Reader(line, number_);
    }

    // `header` is the line that begins with `program`.
    Ref<Program> program(Reader& header, int depth) {
        if (depth > deepest) header.error("more than ", deepest, " programs within one another");
        if (header.word("`program`") != "program") header.error("expected `program NAME`");
        Ref<Program> p = make<Program>();
        p->name = header.name();
        end(header);
        Scope scope{*p, {}};
        while (true) {
            Reader line = next();
            if (line.at_end()) continue;
            if (line.peek_word() == "return") {
                line.word("return");
                while (!line.at_end()) p->outputs.push_back(value(line, scope));
                return p;
            }
            Line made;
            outputs(line, made);
            const std::string name(line.word("an op"));
            const int kind = name == "argument"   ? 0
                             : name == "variable" ? 1
                             : name == "slot"     ? 2
                                                  : -1;
            if (kind >= 0)
                input(line, scope, made, static_cast<ProgramInput::Kind>(kind));
            else
                op_line(line, scope, made, name, depth);
        }
    }

    // %7 %8 = : their descriptions come later in the line.
    void outputs(Reader& line, Line& made) {
        if (line.peek() != '%') return;
        while (line.accept('%')) {
            const int number = line.number<int>("a value's number");
            if (number < 0 || number > highest_) line.error("a value's number is ", number);
            made.out.push_back(number);
        }
        line.expect('=');
    }

    void describe(Reader& line, Scope& scope, int number) {
        const auto v = static_cast<std::size_t>(number);
        if (v >= scope.made.size()) {
            scope.made.resize(v + 1);
            scope.program.values.resize(v + 1);
        }
        if (scope.made[v]) line.error("makes %", number, " again");
        scope.made[v] = 1;
        scope.program.values[v] = desc(line);
    }

    void input(Reader& line, Scope& scope, const Line& made, ProgramInput::Kind kind) {
        Program& p = scope.program;
        const int due = static_cast<int>(p.inputs.size());
        if (!p.lines.empty()) line.error("an input after the first op");
        if (made.out.size() != 1 || made.out[0] != due)
            line.error("input ", due, " is to be %", due);
        ProgramInput in{kind, line.name(), false};
        describe(line, scope, due);
        in.requires_grad = mark(line);
        p.inputs.push_back(in);
        end(line);
    }

    void op_line(Reader& line, Scope& scope, Line& made, const std::string& name, int depth) {
        made.op = find_line_op(name);
        if (!made.op) line.error("there is no op '", name, "'");
        operands(line, scope, made);
        std::vector<Attr> attrs;
        for (const AttrSchema& schema : made.op->attributes)
            if (schema.name && schema.kind != AttrKind::object)
                attrs.push_back(attribute(line, schema));
        for (int i = 0; i < made.out.size(); ++i) {
            if (i > 0) line.expect(',');
            describe(line, scope, made.out[i]);
        }
        made.requires_grad = mark(line);
        made.where = place(line);
        std::size_t at = 0;  // the attributes that are objects have lines of their own
        for (const AttrSchema& schema : made.op->attributes) {
            if (schema.name && schema.kind == AttrKind::object)
                attrs.insert(attrs.begin() + static_cast<std::ptrdiff_t>(at),
                             object(schema, depth));
            ++at;
        }
        made.attrs = Attrs(std::move(attrs));
        try {
            verify_line(scope.program, made);
        } catch (const Error& e) {
            line.error(e.what());
        }
        scope.program.lines.push_back(std::move(made));
    }

    void operands(Reader& line, const Scope& scope, Line& made) {
        while (true) {
            const char c = line.peek();
            const std::string_view w = line.peek_word();
            const bool number = c == '-' || (c >= '0' && c <= '9') || w == "True" || w == "False" ||
                                w == "inf" || w == "nan";
            if (c != '%' && !number) return;
            made.in.push_back(c == '%' ? Operand{value(line, scope), {}}
                                       : Operand{-1, line.scalar()});
        }
    }

    int value(Reader& line, const Scope& scope) {
        line.expect('%');
        const int number = line.number<int>("a value's number");
        if (number < 0 || number >= static_cast<int>(scope.made.size()) ||
            !scope.made[static_cast<std::size_t>(number)])
            line.error("%", number, " is used before it is made");
        return number;
    }

    Attr attribute(Reader& line, const AttrSchema& schema) {
        if (line.word("an attribute") != schema.name)
            line.error("expected attribute ", schema.name, "=");
        line.expect('=');
        switch (schema.kind) {
            case AttrKind::integer:
                return {line.number<std::int64_t>(schema.name)};
            case AttrKind::real:
                return number(line.scalar());
            case AttrKind::dims:
                return {dims(line, false)};
            case AttrKind::dtype:
                return {dtype(line)};
            case AttrKind::string:
                return {line.name()};
            case AttrKind::object:
                break;
        }
        line.error("attribute ", schema.name, " is not one that text can hold");
    }

    // An attribute that is a number may have been written as a whole one.
    static Attr number(const Scalar& s) {
        return is_floating(s.dtype) ? Attr{s.real} : Attr{s.integer};
    }

    Attr object(const AttrSchema& schema, int depth) {
        Reader line = next();
        if (line.word("an attribute") != schema.name)
            line.error("expected attribute ", schema.name, " = program ...");
        line.expect('=');
        if (line.peek_word() != "program")
            line.error("attribute ", schema.name,
                       " is not a program, and only programs can be read");
        return {Ref<Object>(program(line, depth + 1).get())};
    }

    Desc desc(Reader& line) {
        Desc d;
        d.dtype = dtype(line);
        d.shape = dims(line, true);
        if (line.peek_word() == "cuda") {
            line.word("cuda");
            d.device = Device::cuda;
        }
        return d;
    }

    DType dtype(Reader& line) {
        const std::string name(line.word("a dtype"));
        DType d = DType::float32;
        if (!dtype_named(name, d)) line.error("there is no dtype '", name, "'");
        return d;
    }

    Dims dims(Reader& line, bool shape) {
        Dims list;
        line.expect('(');
        while (!line.accept(')')) {
            if (list.size() == max_dims) line.error("more than ", max_dims, " dims");
            const bool named = line.accept('?');
            const std::int64_t d = line.number<std::int64_t>("a dim");
            if ((named || shape) && d < 0) line.error("a dim of ", d);
            list.push_back(named ? unknown(d) : d);
            if (line.peek() != ')') line.expect(',');
        }
        return list;
    }

    std::int64_t unknown(std::int64_t name) {
        const auto found = unknowns_.find(name);
        return found != unknowns_.end() ? found->second : unknowns_[name] = new_unknown();
    }

    bool mark(Reader& line) {
        if (line.peek_word() != "g") return false;
        line.word("g");
        return true;
    }

    // train.cpp:12, or nothing.
    Where place(Reader& line) {
        if (line.at_end()) return {};
        const std::string_view s = line.take_rest();
        const std::size_t colon = s.rfind(':');
        int at = 0;
        if (colon == std::string_view::npos || colon == 0 ||
            std::from_chars(s.data() + colon + 1, s.data() + s.size(), at).ec != std::errc{})
            line.error("expected a place like train.cpp:12, but got '", s.substr(0, 40), "'");
        return {kept_name(s.substr(0, colon)), at, false};
    }

    void end(Reader& line) {
        if (!line.at_end())
            line.error("'", line.take_rest().substr(0, 20), "' is not expected here");
    }

    std::string_view rest_;
    int number_ = 0;
    int highest_;
    std::map<std::int64_t, std::int64_t> unknowns_;
};

}  // namespace

Ref<Program> parse_program(const std::string& text) {
    Ref<Program> program = Parser(text).all();
    verify(*program);
    return program;
}

}  // namespace tg
