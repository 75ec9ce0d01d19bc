// From a recording to a program: the lines that the roots need, and nothing else.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/backward.h"
#include "core/recording.h"
#include "graph/program.h"

namespace tg {

struct Captured {
    Ref<Program> program;
    std::vector<int> inputs;  // which of the recording's inputs each of the program's is
    std::unordered_map<const Node*, int> numbers;  // of each node's first value
    int number(const Value& v) const { return numbers.at(v.node.get()) + v.index; }
};

// The program whose outputs are `roots`. Arguments and placeholders are kept even where no line
// needs them if `all_arguments`, so that a signature does not depend on what is used.
Captured capture(const Recording& recording, std::span<const Value> roots, const std::string& name,
                 bool all_arguments = true);

// Writes a program's lines down again, in the recording that is open, on other inputs. Its leaf
// lines become leaves there. Returns the tensors of all values, by number.
struct Replayed {
    std::vector<Tensor> values;
    std::vector<Tensor> leaves;  // of the leaf lines, in order
    std::vector<Value> leaf_values;
};
Replayed replay(const Program& program, std::span<const Tensor> inputs);

// The program with its unknown dims bound to the numbers that these inputs have: every shape rule
// is run again, so a misfit is found here and named with the line that wrote the op.
Ref<Program> bound_to(const Program& program, std::span<const Desc> inputs);

}  // namespace tg
