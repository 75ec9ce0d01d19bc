// Modules, family by family. Read module.h and layer.h first.
#pragma once

#include "core/nn/activations.h"
#include "core/nn/attention.h"
#include "core/nn/containers.h"
#include "core/nn/convolution.h"
#include "core/nn/dropout.h"
#include "core/nn/embedding.h"
#include "core/nn/functional.h"
#include "core/nn/init.h"
#include "core/nn/layer.h"
#include "core/nn/linear.h"
#include "core/nn/losses.h"
#include "core/nn/module.h"
#include "core/nn/normalization.h"
#include "core/nn/pooling.h"
#include "core/nn/recurrent.h"
#include "core/nn/utils.h"
