// The tensor type's number, comparison and container slots: operators.cc.
#pragma once

#include <vector>

#include "python/bind.h"

namespace tg::python {

void add_operator_slots(std::vector<PyType_Slot>& slots);

}  // namespace tg::python
