// The user's line in Python: a code object and the offset of the instruction that runs, which cost
// next to nothing to note. What file and line that is gets looked up only when it is printed.
//
// Frames of this package are passed over: a model's line is where it is called, not inside Linear.
// So are those of Python's own library and of NumPy: np.sum(x) is the user's line, not NumPy's.
#include <cstring>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/state.h"
#include "python/gil.h"

namespace tg::python {
namespace {

py::object* kind_of_file = nullptr;   // Python: file name -> Frames, as an int
py::object* place_of_file = nullptr;  // Python: file name, line -> what to print for it

enum class Frames { users, libraries, ours };

// Python code that we run here may be where Ctrl-C is noticed. It is not ours to handle: it comes
// again as soon as somebody asks who can stop.
void again_later(py::error_already_set& error) {
    if (error.matches(PyExc_KeyboardInterrupt)) PyErr_SetInterrupt();
}

Frames asked_kind(PyCodeObject* code) {
    if (!kind_of_file) return Frames::users;
    const py::error_scope keep_error;  // an error on its way stays as it is
    try {
        return Frames{py::cast<int>((*kind_of_file)(py::handle(code->co_filename)))};
    } catch (py::error_already_set& e) {
        again_later(e);
        return Frames::users;
    }
}

// Whose code is this? Code objects that were seen once live for ever, so an address means one code.
Frames kind_of(PyCodeObject* code) {
    static auto& known = *new std::unordered_map<PyCodeObject*, Frames>;
    struct Entry {
        PyCodeObject* code = nullptr;
        Frames kind = Frames::users;
    };
    static Entry recent[256];
    Entry& entry = recent[(reinterpret_cast<std::uintptr_t>(code) >> 6) % 256];
    if (entry.code == code) return entry.kind;
    const auto found = known.find(code);
    if (found == known.end()) {
        const Frames kind = asked_kind(code);
        Py_INCREF(code);
        known[code] = kind;
        entry = {code, kind};
    } else {
        entry = {code, found->second};
    }
    return entry.kind;
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

// Asked once for each line of code: a long tape's text would ask a million times. The caller has
// the interpreter's lock.
const std::string& place_of(PyCodeObject* code, int line) {
    static auto& known = *new std::map<std::pair<PyCodeObject*, int>, std::string>;
    const auto found = known.find({code, line});
    if (found != known.end()) return found->second;
    const py::object file = py::reinterpret_borrow<py::object>(code->co_filename);
    std::string place = py::cast<std::string>((*place_of_file)(file, line));
    return known[{code, line}] = std::move(place);
}

std::string resolve(const Where& where) {
    if (!Py_IsInitialized()) return "";
    const WithGil gil;
    const py::error_scope keep_error;  // an error on its way stays as it is
    PyObject* source = const_cast<PyObject*>(static_cast<const PyObject*>(where.source));
    auto* code = reinterpret_cast<PyCodeObject*>(source);
    const int line = PyCode_Addr2Line(code, where.at);
    try {
        return place_of(code, line);
    } catch (py::error_already_set& e) {
        again_later(e);
    } catch (...) {
    }
    return "?:" + std::to_string(line);
}

}  // namespace

Where python_line() {
    PyFrameObject* frame = PyEval_GetFrame();  // borrowed
    if (!frame) return {};
    PyFrameObject* held = nullptr;  // what we walked to, if anywhere
    Where where;
    bool library = false;  // is `where` the first line of a library's that called us?
    while (frame) {
        PyCodeObject* code = PyFrame_GetCode(frame);
        const Frames kind = kind_of(code);  // keeps the code alive from now on
        Py_DECREF(code);
        if (!library || kind == Frames::users) where = Where{code, instruction(frame), true};
        if (kind == Frames::users) break;
        library = library || kind == Frames::libraries;
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
        [](const py::object& kind, const py::object& place) {
            kind_of_file = new py::object(kind);
            place_of_file = new py::object(place);
        },
        "kind(file) is 0 for a user's file, 1 for a library's, 2 for one of ours, whose frames "
        "are\n"
        "passed over; place(file, line) says how to print one.");
    m.def(
        "_current_line", [] { return text(python_line()); },
        "Where the caller is, as errors print it: \"train.py:12\".");
    m.def(
        "_placed",
        [](const std::string& said) { return placed_text(said, python_line(), nullptr); },
        "An error's text with the caller's line: \"SGD: why\" becomes \"SGD (train.py:12): why\".");
}

}  // namespace tg::python
