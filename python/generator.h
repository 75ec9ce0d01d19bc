// The generator= of functions that draw.
#pragma once

#include "core/generator.h"
#include "python/call.h"

namespace tg::python {

// Argument i; the default generator where it is not given or None.
const Generator& generator_in(const Call& c, int i);

}  // namespace tg::python
