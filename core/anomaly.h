// detect_anomaly: every kernel's result is looked over, and the first that has a NaN, or an
// infinity out of finite numbers, is an error that names the op, its line, and its inputs.
#pragma once

#include "core/op.h"

namespace tg {

// What a backward is at, so that an anomaly in a gradient rule can name both lines.
struct Differentiating {
    const Node* node = nullptr;
    Where backward;  // where the user called it
};

bool detects_anomaly();
void set_detect_anomaly(bool on);

// Throws for the outputs of a launch; run_kernel asks it if detects_anomaly().
void check_anomaly(const Launch& launch, Device device);

}  // namespace tg
