// A program as a Python object, which graph.cc and compile.cc hand out.
#pragma once

#include "graph/program.h"
#include "python/bind.h"

namespace tg::python {

struct PyProgram {
    Ref<Program> program;
};

inline py::object program_object(const Ref<Program>& program) {
    return program ? py::cast(PyProgram{program}) : py::object(py::none());
}

}  // namespace tg::python
