// Taking the interpreter's lock on a thread that may not have it: what core calls back does.
#pragma once

#include "python/bind.h"

namespace tg::python {

class WithGil {
  public:
    WithGil();
    ~WithGil() { PyGILState_Release(state_); }
    WithGil(const WithGil&) = delete;
    WithGil& operator=(const WithGil&) = delete;

  private:
    PyGILState_STATE state_;
};

}  // namespace tg::python
