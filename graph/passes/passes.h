// The passes, each in its own file.
#pragma once

#include "graph/passes/pass.h"

namespace tg {

extern const Pass fold_constants;
extern const Pass merge_equal;
extern const Pass turn_products;
extern const Pass drop_dead;
extern const Pass fuse;
extern const Pass run_together;

}  // namespace tg
