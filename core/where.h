// The user's line. Every node keeps the place where it was written, so that an error, a printed
// tape or a program can say `train.cpp:12`. In C++ a compiler builtin gives it; in Python the
// bindings give the code object and the instruction's offset, resolved only when printed.
#pragma once

#include <string>

namespace tg {

struct Where {
    const void* source = nullptr;  // C++: a file name; Python: a code object that is kept alive
    int at = 0;                    // C++: the line; Python: the offset of the instruction
    bool python = false;

    static Where here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
        return {file, line, false};
    }
    explicit operator bool() const { return source != nullptr; }
    bool operator==(const Where& other) const = default;
};

std::string text(const Where& where);  // "train.cpp:12"; "" if not known
std::string at(const Where& where);    // " (train.cpp:12)"; "" if not known
void set_python_lines(std::string (*resolve)(const Where&));

// The outermost public call wins: a composite, a module or a gradient rule that calls further ops
// leaves the user's line in place.
class Here {
  public:
    explicit Here(const Where& where, const char* call = nullptr);
    ~Here();
    Here(const Here&) = delete;
    Here& operator=(const Here&) = delete;

  private:
    bool outermost_;
};

// Puts another line in place until it ends: a gradient rule's ops get their forward op's line.
class Elsewhere {
  public:
    explicit Elsewhere(const Where& where);
    ~Elsewhere();
    Elsewhere(const Elsewhere&) = delete;
    Elsewhere& operator=(const Elsewhere&) = delete;

  private:
    Where before_;
    const char* call_before_;
};

// Forgets the line until it ends: calls inside of a user's function have lines of their own.
class OwnLines {
  public:
    OwnLines();
    ~OwnLines();
    OwnLines(const OwnLines&) = delete;
    OwnLines& operator=(const OwnLines&) = delete;

  private:
    Where line_;
    const char* call_;
};

Where current_line();

// An error's text with its line: "reshape: why" becomes "reshape (train.cpp:12): why".
std::string placed_text(const std::string& text, const Where& line, const char* call);

}  // namespace tg
