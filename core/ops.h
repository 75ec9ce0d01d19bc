// Every op that a user calls, named as in PyTorch: a header a family. The records and rules are
// in the .cc files that each names. `Arg` is a tensor or a number.
#pragma once

#include "core/ops/activations.h"
#include "core/ops/convolution.h"
#include "core/ops/creation.h"
#include "core/ops/criteria.h"
#include "core/ops/elementwise.h"
#include "core/ops/indexing.h"
#include "core/ops/inplace.h"
#include "core/ops/keys.h"
#include "core/ops/layout.h"
#include "core/ops/linalg.h"
#include "core/ops/losses.h"
#include "core/ops/pooling.h"
#include "core/ops/products.h"
#include "core/ops/reduce.h"
#include "core/ops/resize.h"
#include "core/ops/shrinks.h"
#include "core/ops/stacks.h"
#include "core/ops/statistics.h"
#include "core/ops/trigonometry.h"
#include "core/ops/vectors.h"
