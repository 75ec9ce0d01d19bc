// tapegraph: a minimal autograd engine that runs the same ops as a tape and as a compiled graph.
// This is the one header to include, and the table of contents: read the headers in this order.
#pragma once

#include "core/anomaly.h"      // where the first NaN comes from
#include "core/apply.h"        // the only door: there an op runs, or is written down
#include "core/backward.h"     // the tape and the walk along it
#include "core/checkpoint.h"   // a part of the tape that keeps no values
#include "core/function.h"     // ops of the user's own
#include "core/generator.h"    // where random numbers come from
#include "core/history.h"      // views, in-place writes and detach
#include "core/hooks.h"        // what sees gradients pass
#include "core/nn/nn.h"        // modules
#include "core/op.h"           // an op is one record; a node is one application of it
#include "core/ops.h"          // every op that a user calls
#include "core/optim/optim.h"  // optimisers
#include "core/pinned.h"       // memory of the host that a GPU reads by itself
#include "core/recording.h"    // what is open while ops are written down
#include "core/tensor.h"       // storage, history, handle: what a tensor is
#include "graph/compile.h"     // trace a function, keep its program
#include "graph/execute.h"     // the ladder of executors
#include "graph/graph.h"       // the TensorFlow 1 style: placeholder, Session
#include "graph/passes/pass.h"
#include "graph/program.h"  // a recording's lines, on their own
