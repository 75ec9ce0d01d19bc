// Optimisers and schedules. Read optimizer.h first.
#pragma once

#include "core/optim/adagrad.h"
#include "core/optim/adam.h"
#include "core/optim/lr_scheduler.h"
#include "core/optim/optimizer.h"
#include "core/optim/rmsprop.h"
#include "core/optim/sgd.h"
