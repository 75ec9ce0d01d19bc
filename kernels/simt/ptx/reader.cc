// From text to Module: the file's variables and functions. Read next: body.cc.
#include "reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace simt::ptx {

// ---- words of the text ------------------------------------------------------------------------
static bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' ||
           c == '.';
}

std::vector<Token> tokens_of(std::string_view text) {
    std::vector<Token> all;
    int line = 1;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i + 1;
        if (text[i] == '\n') {
            ++line;
        } else if (text.substr(i, 2) == "//") {
            end = std::min(text.find('\n', i), text.size());
        } else if (text[i] == '"') {
            end = std::min(text.find('"', i + 1), text.size() - 1) + 1;
            all.push_back({text.substr(i, end - i), line});
        } else if (!std::isspace(static_cast<unsigned char>(text[i]))) {
            while (in_word(text[i]) && end < text.size() && in_word(text[end])) ++end;
            all.push_back({text.substr(i, end - i), line});
        }
        i = end;
    }
    return all;
}

bool number_of(std::string_view text, Word& value) {
    const bool negative = text.substr(0, 1) == "-";
    if (negative) text.remove_prefix(1);
    if (text.substr(0, 2) == "0f" || text.substr(0, 2) == "0F" || text.substr(0, 2) == "0d" ||
        text.substr(0, 2) == "0D") {  // the bits of a float or double
        const auto end = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
        return end.ptr == text.data() + text.size();
    }
    const int base = text.substr(0, 2) == "0x" ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    if (!text.empty() && text.back() == 'U') text.remove_suffix(1);
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (negative) value = 0 - value;
    return !text.empty() && end.ptr == text.data() + text.size();
}

Type type_named(std::string_view name) {
    constexpr std::pair<std::string_view, Type> names[] = {
        {"pred", Type::pred}, {"b8", Type::u8},   {"b16", Type::u16}, {"b32", Type::u32},
        {"b64", Type::u64},   {"u8", Type::u8},   {"u16", Type::u16}, {"u32", Type::u32},
        {"u64", Type::u64},   {"s8", Type::s8},   {"s16", Type::s16}, {"s32", Type::s32},
        {"s64", Type::s64},   {"f32", Type::f32}, {"f64", Type::f64}};
    for (const auto& [text, type] : names)
        if (text == name) return type;
    return Type::none;
}

std::size_t bytes_of(Type type) {
    constexpr std::size_t bytes[] = {0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8};
    return bytes[static_cast<int>(type)];
}

// ---- the file ---------------------------------------------------------------------------------
Reader::Reader(std::string_view text, Module& module) : tokens_(tokens_of(text)), module_(module) {}

std::string_view Reader::next() {
    return at_ < tokens_.size() ? tokens_[at_++].text : std::string_view();
}

std::string_view Reader::peek(std::size_t ahead) const {
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead].text : std::string_view();
}

int Reader::line() const {
    return tokens_.empty() ? 0 : tokens_[std::min(at_, tokens_.size() - 1)].line;
}

bool Reader::skip(std::string_view text) {
    if (peek() != text) return false;
    ++at_;
    return true;
}

void Reader::expect(std::string_view text) {
    if (!skip(text))
        error("\"" + std::string(peek()) + "\" where \"" + std::string(text) + "\" was expected");
}

void Reader::error(const std::string& what) {
    if (module_.error.empty())
        module_.error = module_.file + ":" + std::to_string(line()) + ": " + what;
    at_ = tokens_.size();  // nothing more is read
}

std::size_t Reader::size() {
    Word value = 0;
    const std::string_view text = next();
    if (!number_of(text, value)) error("\"" + std::string(text) + "\" is not a size");
    return value;
}

Declared Reader::declared() {
    Declared d;
    if (skip(".align")) d.alignment = size();
    const std::string_view type = next();
    d.type = type_named(type.substr(std::min<std::size_t>(1, type.size())));
    if (d.type == Type::none) error("\"" + std::string(type) + "\" is not a type that is known");
    d.name = next();
    d.bytes = bytes_of(d.type);
    d.alignment = std::max(d.alignment, d.bytes);
    if (skip("[")) {
        d.bytes *= peek() == "]" ? 0 : size();
        expect("]");
    }
    return d;
}

// .global .align 4 .b8 table[8] = {1, 0, 0, 0, 2, 0, 0, 0};
void Reader::variable() {
    const Declared d = declared();
    auto& words = module_.variables[std::string(d.name)];
    words.resize((d.bytes + sizeof(Word) - 1) / sizeof(Word));
    auto* to = reinterpret_cast<unsigned char*>(words.data());
    if (skip("=")) {
        const bool several = skip("{");
        std::size_t written = 0;
        do {
            std::string text = skip("-") ? "-" : "";
            text += next();
            Word value = 0;
            if (!number_of(text, value)) return error("\"" + text + "\" is not a number");
            if (written + bytes_of(d.type) > d.bytes)
                return error("more numbers than there is room");
            std::memcpy(to + written, &value, bytes_of(d.type));
            written += bytes_of(d.type);
        } while (skip(","));
        if (several) expect("}");
    }
    expect(";");
}

void Reader::shared_variable() {
    const Declared d = declared();
    shared_[std::string(d.name)] = d;
    expect(";");
}

std::vector<Declared> Reader::parameters() {
    std::vector<Declared> all;
    if (!skip("(")) return all;
    while (!skip(")") && !done()) {
        expect(".param");
        all.push_back(declared());
        skip(",");
    }
    return all;
}

// .entry name (parameters) {...}, .func (what it returns) name (parameters) {...}
void Reader::function(bool is_entry) {
    std::vector<Declared> all = is_entry ? std::vector<Declared>() : parameters();
    const std::string name(next());
    for (const Declared& d : parameters()) all.push_back(d);
    while (!done() && peek() != "{" && peek() != ";") next();  // .maxntid and its kin
    if (skip(";")) return;                                     // declared only
    auto& made = module_.functions[name];
    if (!made) made = std::make_unique<Function>();  // it may have been called before
    made->name = name;
    made->file = module_.file;
    made->is_entry = is_entry;
    for (const Declared& d : all) made->parameters.push_back(d.bytes);
    read_body(*made, all);
}

void Reader::read() {
    while (!done()) {
        const std::string_view word = next();
        if (word == ".version" || word == ".target" || word == ".address_size" || word == ".file" ||
            word == ".loc") {
            const int its_line = tokens_[at_ - 1].line;
            while (!done() && line() == its_line) next();
        } else if (word == ".visible" || word == ".weak" || word == ".extern") {
            continue;
        } else if (word == ".entry" || word == ".func") {
            function(word == ".entry");
        } else if (word == ".global" || word == ".const") {
            variable();
        } else if (word == ".shared") {
            shared_variable();
        } else {
            --at_;
            error("\"" + std::string(word) + "\" is not known");
        }
    }
}

Module::Module() = default;
Module::Module(Module&&) noexcept = default;
Module& Module::operator=(Module&&) noexcept = default;
Module::~Module() = default;

const Function* Module::entry(std::string_view name) const {
    const auto found = functions.find(name);
    return found != functions.end() && found->second->is_entry ? found->second.get() : nullptr;
}

std::vector<std::string> Module::entries() const {
    std::vector<std::string> names;
    for (const auto& [name, function] : functions)
        if (function->is_entry) names.push_back(name);
    return names;
}

Module read(std::string_view text, std::string file) {
    Module module;
    module.file = std::move(file);
    Reader(text, module).read();
    for (const auto& [name, function] : module.functions)
        if (module.error.empty() && function->instructions.empty())
            module.error = module.file + ": " + name + " is called, but not there";
    if (!module.error.empty()) module.functions.clear();
    return module;
}

}  // namespace simt::ptx
