// The user's line in Python: a code object and the offset of the instruction that runs, which cost
// next to nothing to note. What file and line that is gets looked up only when it is printed.
//
// Frames of this package are passed over: a model's line is where it is called, not inside Linear.
#include <cstring>
#include <string>
#include <unordered_map>

#include "core/state.h"
#include "python/gil.h"

namespace tg::python {
namespace {

std::string inner_folder;             // of the package, with the last slash
py::object* place_of_file = nullptr;  // Python: file name -> what to print for it

// Is this code ours? Code objects that were seen once live for ever, so an address means one code.
bool is_inner(PyCodeObject* code) {
    static auto& known = *new std::unordered_map<PyCodeObject*, bool>;
    struct Entry {
        PyCodeObject* code = nullptr;
        bool inner = false;
    };
    static Entry recent[256];
    Entry& entry = recent[(reinterpret_cast<std::uintptr_t>(code) >> 6) % 256];
    if (entry.code == code) return entry.inner;
    const auto found = known.find(code);
    if (found == known.end()) {
        const char* file = PyUnicode_AsUTF8(code->co_filename);
        if (!file) PyErr_Clear();
        const std::string name = file ? file : "";
        const bool inner = !inner_folder.empty() && name.rfind(inner_folder, 0) == 0 &&
                           name != inner_folder + "demo.py";
        Py_INCREF(code);
        known[code] = inner;
        entry = {code, inner};
    } else {
        entry = {code, found->second};
    }
    return entry.inner;
}

int instruction(PyFrameObject* frame) {
#if PY_VERSION_HEX >= 0x030B0000
    return PyFrame_GetLasti(frame);
#elif PY_VERSION_HEX >= 0x030A0000
    return frame->f_lasti * 2;
#else
    return frame->f_lasti;
#endif
}

std::string resolve(const Where& where) {
    if (!Py_IsInitialized()) return "";
    const WithGil gil;
    const py::error_scope keep_error;  // an error on its way stays as it is
    PyObject* source = const_cast<PyObject*>(static_cast<const PyObject*>(where.source));
    auto* code = reinterpret_cast<PyCodeObject*>(source);
    const int line = PyCode_Addr2Line(code, where.at);
    try {
        const py::object file = py::reinterpret_borrow<py::object>(code->co_filename);
        return py::cast<std::string>((*place_of_file)(file, line));
    } catch (...) {
        return "?:" + std::to_string(line);
    }
}

}  // namespace

Where python_line() {
    PyFrameObject* frame = PyEval_GetFrame();  // borrowed
    if (!frame) return {};
    PyFrameObject* held = nullptr;  // what we walked to, if anywhere
    Where where;
    while (frame) {
        PyCodeObject* code = PyFrame_GetCode(frame);
        const bool inner = is_inner(code);  // keeps the code alive from now on
        Py_DECREF(code);
        where = Where{code, instruction(frame), true};
        if (!inner) break;
        frame = PyFrame_GetBack(frame);
        Py_XDECREF(held);
        held = frame;
    }
    Py_XDECREF(held);
    return where;
}

void bind_lines(py::module_& m) {
    set_python_lines(resolve);
    m.def(
        "_set_lines",
        [](const std::string& folder, const py::object& place) {
            inner_folder = folder;
            place_of_file = new py::object(place);
        },
        "Passes over the frames of files in `folder`; `place(file, line)` says how to print one.");
    m.def(
        "_current_line", [] { return text(python_line()); },
        "Where the caller is, as errors print it: \"train.py:12\".");
}

}  // namespace tg::python
