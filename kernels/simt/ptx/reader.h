// What reader.cc and body.cc share: a PTX file as it is read, word by word.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "program.h"

namespace simt::ptx {

struct Token {
    std::string_view text;  // a name with its dots, a number, a string, or one other character
    int line;
};
std::vector<Token> tokens_of(std::string_view text);
bool number_of(std::string_view text, Word& value);  // an integer, or the bits of a float

// `.align 8 .b8 name[24]`
struct Declared {
    std::string_view name;
    Type type = Type::none;
    std::size_t bytes = 0, alignment = 1;
};

class Reader {
  public:
    Reader(std::string_view text, Module& module);
    void read();

  private:
    friend class Body;

    bool done() const { return at_ >= tokens_.size(); }
    std::string_view next();
    std::string_view peek(std::size_t ahead = 0) const;
    int line() const;
    bool skip(std::string_view text);  // whether it came next
    void expect(std::string_view text);
    void error(const std::string& what);  // keeps the first, and ends the text

    std::size_t size();
    Declared declared();
    std::vector<Declared> parameters();
    void variable();
    void shared_variable();
    void function(bool is_entry);
    void read_body(Function& function, const std::vector<Declared>& parameters);  // body.cc

    std::vector<Token> tokens_;
    std::size_t at_ = 0;  // the next one
    Module& module_;
    std::map<std::string, Declared, std::less<>> shared_;  // declared outside all functions
};

}  // namespace simt::ptx
