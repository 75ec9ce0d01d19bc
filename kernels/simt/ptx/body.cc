// The body of a function: names become words of the frame, labels become numbers of instructions.
#include <charconv>
#include <string>
#include <utility>

#include "reader.h"

namespace simt::ptx {

// ---- mad.lo.cc.u32 ----------------------------------------------------------------------------
Opcode::Opcode(std::string_view text) {
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('.', begin), text.size());
        const std::string part(text.substr(begin, end - begin));
        if (begin == 0)
            name_ = part;
        else if (!part.empty())
            modifiers_.push_back(part);
        begin = end + 1;
    }
}

bool Opcode::take(std::string_view modifier) {
    for (auto at = modifiers_.begin(); at != modifiers_.end(); ++at)
        if (*at == modifier) {
            modifiers_.erase(at);
            return true;
        }
    return false;
}

Type Opcode::take_type() {
    for (auto at = modifiers_.begin(); at != modifiers_.end(); ++at)
        if (const Type type = type_named(*at); type != Type::none) {
            modifiers_.erase(at);
            return type;
        }
    return Type::none;
}

const std::string* Opcode::not_understood() const {
    return modifiers_.empty() ? nullptr : &modifiers_.front();
}

// ---- the body ---------------------------------------------------------------------------------
// Until the end of the body is known, a constant is the word first_constant + its number.
constexpr int first_constant = 1 << 20;

class Body {
  public:
    Body(Reader& reader, Function& function) : reader_(reader), function_(function) {}
    void read(const std::vector<Declared>& parameters);

  private:
    // What a pair of braces declares: registers by name, and families such as %r<8>.
    struct Scope {
        std::map<std::string, int, std::less<>> words;
        std::vector<std::string> families;
    };

    void declare_registers();
    void declare_variable();
    void declare_shared(const Declared& d);
    void instruction();
    void call(Instruction& i);
    void operand(Instruction& i);
    void address(Instruction& i);
    void add(Instruction& i, int word);
    void finish();

    int word_of(std::string_view name);  // below 0, and an error, if there is none
    int register_named(std::string_view name);
    int special_word(std::string_view name);
    int constant(Word value);
    int new_word(Special special, std::size_t number = 0);

    Reader& reader_;
    Function& function_;
    std::vector<Scope> scopes_{1};
    std::map<std::string, int, std::less<>> names_;  // of variables and of special registers
    std::map<Word, int> constants_;
    std::map<std::string, std::size_t, std::less<>> labels_;
    struct Jump {
        std::size_t instruction;
        std::string label;
        int line;
    };
    std::vector<Jump> jumps_;
    std::size_t variable_words_ = 0;
};

void Reader::read_body(Function& function, const std::vector<Declared>& parameters) {
    Body(*this, function).read(parameters);
}

void Body::read(const std::vector<Declared>& parameters) {
    for (std::size_t p = 0; p < parameters.size(); ++p)
        names_[std::string(parameters[p].name)] = new_word(Special::parameter, p);
    reader_.expect("{");
    for (int depth = 1; depth > 0;) {
        if (reader_.done()) return reader_.error("the file ends inside " + function_.name);
        const std::string_view word = reader_.peek();
        if (word == "{") {
            scopes_.emplace_back();
            ++depth;
            reader_.next();
        } else if (word == "}") {
            scopes_.pop_back();
            --depth;
            reader_.next();
        } else if (reader_.peek(1) == ":") {
            labels_[std::string(word)] = function_.instructions.size();
            reader_.next();
            reader_.next();
        } else if (word == ".reg") {
            declare_registers();
        } else if (word == ".local" || word == ".param" || word == ".shared") {
            declare_variable();
        } else if (word == ".pragma") {
            while (!reader_.done() && reader_.next() != ";") {
            }
        } else {
            instruction();
        }
    }
    finish();
}

// ---- declarations -----------------------------------------------------------------------------
// .reg .b32 %r<8>;  .reg .u32 %low, %high;
void Body::declare_registers() {
    reader_.next();
    reader_.next();
    do {
        const std::string name(reader_.next());
        if (reader_.skip("<")) {
            reader_.size();
            reader_.expect(">");
            scopes_.back().families.push_back(name);
        } else {
            scopes_.back().words[name] = static_cast<int>(function_.registers++);
        }
    } while (reader_.skip(","));
    reader_.expect(";");
}

void Body::declare_variable() {
    const bool shared = reader_.next() == ".shared";
    const Declared d = reader_.declared();
    reader_.expect(";");
    if (shared) return declare_shared(d);
    variable_words_ += variable_words_ % 2;  // 16 bytes are the largest alignment
    names_[std::string(d.name)] = new_word(Special::variable, variable_words_);
    variable_words_ += (d.bytes + sizeof(Word) - 1) / sizeof(Word);
}

// What is declared without a size is the launch's dynamic shared memory, behind all others.
void Body::declare_shared(const Declared& d) {
    if (!function_.is_entry)
        return reader_.error("shared memory in a function that is no kernel is not supported");
    if (d.bytes == 0) {
        names_[std::string(d.name)] = new_word(Special::dynamic_shared);
        return;
    }
    std::size_t& bytes = function_.shared_bytes;
    bytes = (bytes + d.alignment - 1) / d.alignment * d.alignment;
    names_[std::string(d.name)] = constant(bytes);
    bytes += d.bytes;
}

// ---- names ------------------------------------------------------------------------------------
int Body::new_word(Special special, std::size_t number) {
    const int word = static_cast<int>(function_.registers++);
    function_.specials.push_back({word, special, number});
    return word;
}

int Body::constant(Word value) {
    const auto [at, is_new] =
        constants_.try_emplace(value, first_constant + static_cast<int>(constants_.size()));
    if (is_new) function_.constants.push_back(value);
    return at->second;
}

int Body::register_named(std::string_view name) {
    const std::string_view family = name.substr(0, name.find_last_not_of("0123456789") + 1);
    for (std::size_t s = scopes_.size(); s-- > 0;) {
        Scope& scope = scopes_[s];
        if (const auto found = scope.words.find(name); found != scope.words.end())
            return found->second;
        for (const std::string& its : scope.families)
            if (its == family)
                return scope.words[std::string(name)] = static_cast<int>(function_.registers++);
    }
    return -1;
}

int Body::special_word(std::string_view name) {
    constexpr std::pair<std::string_view, Special> all[] = {
        {"%tid.x", Special::thread_x},    {"%tid.y", Special::thread_y},
        {"%tid.z", Special::thread_z},    {"%ntid.x", Special::threads_x},
        {"%ntid.y", Special::threads_y},  {"%ntid.z", Special::threads_z},
        {"%ctaid.x", Special::block_x},   {"%ctaid.y", Special::block_y},
        {"%ctaid.z", Special::block_z},   {"%nctaid.x", Special::blocks_x},
        {"%nctaid.y", Special::blocks_y}, {"%nctaid.z", Special::blocks_z},
        {"%laneid", Special::lane}};
    for (const auto& [text, special] : all)
        if (text == name) return names_[std::string(name)] = new_word(special);
    return -1;
}

int Body::word_of(std::string_view name) {
    Word value = 0;
    if (number_of(name, value)) return constant(value);
    if (name == "WARP_SZ") return constant(32);
    if (const auto found = names_.find(name); found != names_.end()) return found->second;
    if (const int word = register_named(name); word >= 0) return word;
    if (const int word = special_word(name); word >= 0) return word;
    if (const auto shared = reader_.shared_.find(name); shared != reader_.shared_.end()) {
        declare_shared(shared->second);
        return reader_.done() ? -1 : names_.find(name)->second;
    }
    const auto variable = reader_.module_.variables.find(name);
    if (variable == reader_.module_.variables.end()) {
        reader_.error("\"" + std::string(name) + "\" is not declared");
        return -1;
    }
    function_.variables.push_back(variable->second);
    return names_[std::string(name)] =
               constant(reinterpret_cast<std::uintptr_t>(variable->second.data()));
}

// ---- instructions -----------------------------------------------------------------------------
void Body::add(Instruction& i, int word) {
    if (i.count == i.operands.size()) return reader_.error("more operands than are supported");
    i.operands[i.count++] = word;
}

// [%rd1+-8]
void Body::address(Instruction& i) {
    add(i, word_of(reader_.next()));
    if (reader_.skip("+")) {
        const bool negative = reader_.skip("-");
        const auto offset = static_cast<std::int64_t>(reader_.size());
        i.number = negative ? -offset : offset;
    }
    reader_.expect("]");
}

// %r1, -1, {%r1, %r2}, [%rd1+8], or %r1|%p1
void Body::operand(Instruction& i) {
    if (reader_.skip("[")) return address(i);
    if (reader_.skip("{")) {
        do add(i, word_of(reader_.next()));
        while (reader_.skip(","));
        return reader_.expect("}");
    }
    do {
        const std::string_view sign = reader_.skip("-") ? "-" : "";
        add(i, word_of(std::string(sign) + std::string(reader_.next())));
    } while (reader_.skip("|"));
}

// call.uni (result), function, (arguments);
void Body::call(Instruction& i) {
    if (reader_.skip("(")) {
        do add(i, word_of(reader_.next()));
        while (reader_.skip(","));
        reader_.expect(")");
        reader_.expect(",");
        i.first = i.count;
    }
    auto& called = reader_.module_.functions[std::string(reader_.next())];
    if (!called) called = std::make_unique<Function>();
    i.called = called.get();
    if (!reader_.skip(",")) return;
    reader_.expect("(");
    do add(i, word_of(reader_.next()));
    while (reader_.skip(","));
    reader_.expect(")");
}

void Body::instruction() {
    Instruction i;
    i.line = reader_.line();
    if (reader_.skip("@")) {
        i.guard_value = !reader_.skip("!");
        i.guard = word_of(reader_.next());
    }
    const std::string_view text = reader_.next();
    Opcode opcode(text);
    i.step = arithmetic_step(opcode, i);
    if (!i.step) i.step = conversion_step(opcode, i);
    if (!i.step) i.step = memory_step(opcode, i);
    if (!i.step) i.step = control_step(opcode, i);
    if (!i.step) i.step = float_step(opcode);
    const std::string* modifier = opcode.not_understood();
    if (!i.step || modifier) {
        reader_.at_ -= 1;  // the error is of this line
        return reader_.error(std::string(text) + " is not supported" +
                             (i.step ? ": it has ." + *modifier : ""));
    }
    if (opcode.name() == "bra") {
        jumps_.push_back({function_.instructions.size(), std::string(reader_.next()), i.line});
    } else if (Step* clock = clock_step(reader_.peek(2)); clock && opcode.name() == "mov") {
        operand(i);
        reader_.expect(",");
        reader_.next();
        i.step = clock;
    } else if (opcode.name() == "call") {
        call(i);
    } else if (reader_.peek() != ";") {
        operand(i);
        i.first = i.count;
        while (reader_.skip(",")) operand(i);
    }
    reader_.expect(";");
    function_.instructions.push_back(i);
}

// ---- when all is read -------------------------------------------------------------------------
void Body::finish() {
    for (const Jump& jump : jumps_) {
        const auto label = labels_.find(jump.label);
        if (label == labels_.end())
            return reader_.error("no label " + jump.label + ", to which line " +
                                 std::to_string(jump.line) + " goes");
        function_.instructions[jump.instruction].number = static_cast<std::int64_t>(label->second);
    }
    const int registers = static_cast<int>(function_.registers);
    const auto settle = [&](int& word) {
        if (word >= first_constant) word += registers - first_constant;
    };
    for (Instruction& i : function_.instructions) {
        settle(i.guard);
        for (int& word : i.operands) settle(word);
    }
    const std::size_t variables = (function_.registers + function_.constants.size() + 1) / 2 * 2;
    for (SpecialWord& special : function_.specials)
        if (special.special == Special::variable) special.number += variables;
    function_.words = variables + variable_words_;
    if (function_.words > most_words)
        reader_.error(function_.name + " needs " + std::to_string(function_.words) +
                      " registers and words of memory, but a thread here has " +
                      std::to_string(most_words));
}

}  // namespace simt::ptx
