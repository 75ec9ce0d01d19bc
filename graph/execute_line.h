// What the executors and the constant folder share.
#pragma once

#include <span>
#include <vector>

#include "graph/program.h"

namespace tg {

// Throws Error unless the inputs fit their descriptions; an undefined one always does.
void check_inputs(const Program& program, std::span<const Tensor> inputs);

// Runs one line on the values, by number, and puts what it makes among them.
void run_line(const Program& program, const Line& line, std::vector<Tensor>& values);

}  // namespace tg
