// A program: the lines of a recording, on their own. It holds descriptions and ops, and no tensor:
// the same program runs on any storages that fit.
//
//     program mlp
//       %0 = argument x              float32 (32, 64)
//       %1 = variable w              float32 (64, 10)   g
//       %2 = matmul %0 %1            float32 (32, 10)   g   train.cpp:12
//       %3 = sum %2 dims=(0,) ...    float32 (10,)   g   train.cpp:13
//       return %3
//
// `g` marks what a gradient flows through. Read next: program_text.cc, verify.cc, execute.h.
#pragma once

#include <string>
#include <vector>

#include "core/op.h"

namespace tg {

struct ProgramInput {
    enum Kind : std::uint8_t { argument, variable, slot } kind = argument;
    std::string name;
    bool requires_grad = false;
};

// What a line works on: a value by number, or a number that was written beside a tensor.
struct Operand {
    int value = -1;  // -1: the scalar
    Scalar scalar;
    bool operator==(const Operand& other) const = default;
};

struct Line {
    const Op* op = nullptr;
    Attrs attrs;
    Inline<Operand, 2> in;
    Inline<int, 1> out;          // the values that it makes
    bool requires_grad = false;  // a gradient flows through this line
    Where where;
};

struct Program final : Object {
    std::string name;
    std::vector<Desc> values;  // by number; the inputs are 0, 1, ...
    std::vector<ProgramInput> inputs;
    std::vector<Line> lines;   // every operand is made, once, before it is used
    std::vector<int> outputs;  // a pass that drops lines leaves gaps in the numbers

    std::string text() const override;                // reads back: parse_program(text())
    bool equals(const Object& other) const override;  // same text, lines' places aside
    // What operand i is to the line's kernel. A number has no dims, and the dtype that its line
    // computes in: that of the tensors beside it.
    Desc operand_desc(const Line& line, int i) const;
};

// The op of that name, core's or one that only programs have (fused, together); null if there is
// none.
const Op* find_line_op(const std::string& name);

// Throws Error naming the line of the text and what is wrong with it. What it returns is verified.
Ref<Program> parse_program(const std::string& text);

// Throws Error if an invariant is broken: numbers in range and defined before use, shapes and
// dtypes as the ops' rules give them, attributes as the schema says.
void verify(const Program& program);
void verify_line(const Program& program, const Line& line);  // all but: defined before use

}  // namespace tg
