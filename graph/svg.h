// Pictures of a tape and of a program, as plain SVG text: no script, no Graphviz, readable on a
// light and on a dark page.
//
//     save("tape.svg", tape_svg(loss));
//     save("graph.svg", program_svg(*step.traces()[0].improved));
//
// Thin lines carry values, down the page. Along a thick one a gradient flows back up. A picture of
// more than 60 boxes is folded: what repeats is drawn once, with a count.
#pragma once

#include <string>

#include "graph/program.h"

namespace tg {

// All that `root` was made of, as far as gradients flow; of a symbolic tensor, all that it will be
// made of. Throws Error if root is undefined.
std::string tape_svg(const Tensor& root);

// A program's inputs, lines and outputs; a fused group is a box that lists its lines.
std::string program_svg(const Program& program);

}  // namespace tg
