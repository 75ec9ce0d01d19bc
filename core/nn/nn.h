// Modules, family by family. Read module.h and layer.h first.
#pragma once

#include "core/nn/activations.h"
#include "core/nn/containers.h"
#include "core/nn/init.h"
#include "core/nn/layer.h"
#include "core/nn/linear.h"
#include "core/nn/module.h"
