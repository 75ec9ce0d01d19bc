// What the compiler left in a program or library for a debugger: which function or variable lies at
// an address, and which line of which file. Read from the ELF file itself, so no other program is
// needed. Linux only; elsewhere, and in a stripped file, nothing is found and addresses are
// printed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace simt::check {

using Address = std::uintptr_t;

// A function, or a variable with static storage.
struct Symbol {
    Address begin = 0, end = 0;
    std::string name;  // mangled
};

struct Line {
    Address address = 0;               // of the first instruction; up to the next Line's
    std::uint32_t file = 0, line = 0;  // line 0: nobody's
};

struct LineTable {
    std::vector<std::string> files;
    std::vector<Line> lines;  // ordered by address
};

// DWARF 4 or older, as the section .debug_line holds it; `bias` is added to its addresses. Code
// below `first_address` was dropped by the linker. [DWARF 4, 6.2]
LineTable read_lines(const char* begin, const char* end, Address bias, Address first_address);

// One loaded program or library. Its addresses are those of this process.
class Module {
  public:
    struct Segment {
        Address begin, end;
        bool writable;
    };
    std::string file;
    Address bias = 0;
    std::vector<Segment> segments;

    void read();  // symbols and lines, from `file`
    const Segment* segment(Address address) const;
    const Symbol* symbol(Address address) const;  // null if there is none
    // The variable of a kernel that lies nearest to `address`, within 4,096 bytes; null if none
    // does.
    const Symbol* variable_near(Address address) const;
    // Of the arrays that the function declares __shared__; its other statics look the same.
    std::size_t shared_bytes(const Symbol& function) const;
    bool has_symbols() const { return !symbols_.empty(); }
    // Whether the instruction at `code` is a line of the system's headers, or of the emulator's.
    bool is_of_the_system(Address code) const;
    // "file:line" of the instruction at `code`: the last one before it, in its function, that is
    // not a line of the system's headers. Else "file+0x123".
    std::string place(Address code) const;

  private:
    std::vector<Symbol> symbols_;  // ordered by address
    LineTable lines_;
};

// The module that holds `address`, read on first use; null if there is none.
const Module* module_of(Address address);

std::string place_of(Address code);
// "f(int)::tile" gives "tile"; "void tg::f<float>(float*)" gives "f".
std::string short_name(const std::string& mangled);
// Whether a kernel may know it: it is not the emulator's, the standard library's, or a gap.
bool is_kernels(const std::string& mangled);
// Whether the variable is declared inside a function, as __shared__ arrays are.
bool is_local_static(const std::string& mangled);

}  // namespace simt::check
