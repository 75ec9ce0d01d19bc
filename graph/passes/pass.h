// A pass makes a program better. Each is a record and a function from program to program.
#pragma once

#include <functional>
#include <span>

#include "graph/program.h"

namespace tg {

struct Pass {
    const char* name = nullptr;
    bool exact = true;  // the same bits; false: it reassociates, and `strict` leaves it out
    Ref<Program> (*run)(const Program& program) = nullptr;
    const char* what = "";  // one sentence
};

// In the order in which they run: fold constants, merge common subexpressions, turn transposed
// products, drop dead lines, fuse elementwise groups, run groups together.
std::span<const Pass* const> all_passes();
const Pass* find_pass(const std::string& name);

// Runs the passes one after another, verifying after each. `show` is called with the program
// before and after each pass; it may be empty.
using ShowPass = std::function<void(const Pass&, const Program& before, const Program& after)>;
Ref<Program> optimise(const Program& program, std::span<const Pass* const> passes,
                      const ShowPass& show = {});

// A difference of two programs' texts, line by line, as `diff -u` prints it.
std::string difference(const Program& before, const Program& after);

}  // namespace tg
