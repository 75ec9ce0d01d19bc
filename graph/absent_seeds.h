// What is left of a call's gradient where some of its outputs have none.
#pragma once

#include <memory>
#include <vector>

#include "graph/call.h"

namespace tg {

// By seed, then by sum: is it given? See CallGradient.
std::unique_ptr<GradientHalves> halves_with(const CallGradient& all,
                                            const std::vector<char>& present);

}  // namespace tg
