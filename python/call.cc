#include "python/call.h"

#include <cassert>
#include <cstddef>
#include <cstring>

namespace tg::python {
namespace {

struct FunctionObject {
    PyObject_HEAD vectorcallfunc call;
    const Function* function;
    const Signature* signature;
};
PyTypeObject* function_type = nullptr;

FunctionObject& function_in(PyObject* o) { return *reinterpret_cast<FunctionObject*>(o); }

PyObject* call_function(PyObject* self, PyObject* const* arguments, std::size_t flags,
                        PyObject* keywords) {
    return guarded([&] {
        const FunctionObject& f = function_in(self);
        const Here here(python_line(), f.signature->public_name());
        const Call call(*f.signature, arguments, PyVectorcall_NARGS(flags), keywords);
        return f.function->body(call);
    });
}

// `x.sum` is the function with x for its first argument.
PyObject* bind_to_object(PyObject* self, PyObject* object, PyObject*) {
    return object && object != Py_None ? PyMethod_New(self, object) : new_reference(self);
}

PyObject* get_name(PyObject* self, void*) {
    return PyUnicode_FromString(function_in(self).signature->name.c_str());
}

PyObject* get_text_signature(PyObject* self, void*) {
    return PyUnicode_FromString(std::strchr(function_in(self).function->signature, '('));
}

PyObject* get_doc(PyObject* self, void*) {
    const Function& f = *function_in(self).function;
    return PyUnicode_FromFormat("%s\n\n%s", f.signature, f.doc);
}

PyObject* get_module(PyObject*, void*) { return PyUnicode_FromString("tapegraph"); }

PyObject* repr(PyObject* self) {
    return PyUnicode_FromFormat("<function tapegraph.%s>",
                                function_in(self).signature->name.c_str());
}

PyGetSetDef properties[] = {{"__name__", get_name, nullptr, nullptr, nullptr},
                            {"__qualname__", get_name, nullptr, nullptr, nullptr},
                            {"__module__", get_module, nullptr, nullptr, nullptr},
                            {"__text_signature__", get_text_signature, nullptr, nullptr, nullptr},
                            {"__doc__", get_doc, nullptr, nullptr, nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(FunctionObject, call), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                       {Py_tp_descr_get, reinterpret_cast<void*>(bind_to_object)},
                       {Py_tp_repr, reinterpret_cast<void*>(repr)},
                       {Py_tp_getset, properties},
                       {Py_tp_members, members},
                       {0, nullptr}};

PyType_Spec spec = {"tapegraph._C.Function", sizeof(FunctionObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
                    slots};

// Functions live as long as the process, as the module does.
PyObject* new_function(const Function& function) {
    PyObject* o = checked(PyType_GenericAlloc(function_type, 0));
    function_in(o).call = call_function;
    function_in(o).function = &function;
    function_in(o).signature = new Signature(function.signature);
    return o;
}

}  // namespace

Signature::Signature(const char* text) {
    const std::string all = text;
    const std::size_t open = all.find('(');
    name = all.substr(0, open);
    bool named_only = false;
    std::size_t begin = open + 1;
    while (begin < all.size() - 1) {
        std::size_t end = all.find(", ", begin);
        if (end == std::string::npos) end = all.size() - 1;
        std::string item = all.substr(begin, end - begin);
        begin = end + 2;
        const std::size_t equals = item.find('=');
        const bool starred = item[0] == '*';
        if (starred) item.erase(0, 1);
        if (item.empty()) {
            named_only = true;
            continue;
        }
        const int place = static_cast<int>(names.size());
        if (starred) star = place;
        if (equals == std::string::npos && !starred) required = place + 1;
        if (!named_only && !starred) positional = place + 1;
        named_only = named_only || starred;
        names.push_back(item.substr(0, item.find('=')));
    }
    assert(names.size() <= static_cast<std::size_t>(max_parameters));
}

// The number of the parameter of that name; how many there are if there is none.
static std::size_t place_of(const Signature& s, const char* word) {
    std::size_t i = 0;
    while (i < s.names.size() && s.names[i] != word) ++i;
    return i;
}

// PyTorch's word for what is one of the things that our parameter takes.
static const char* longer(const char* word) {
    const auto is = [&](const char* other) { return std::strcmp(word, other) == 0; };
    if (is("size")) return "sizes";
    if (is("split_size")) return "split_size_or_sections";
    if (is("sections") || is("indices")) return "indices_or_sections";
    return word;
}

Call::Call(const Signature& signature, PyObject* const* arguments, Py_ssize_t count,
           PyObject* keywords)
    : signature_(signature) {
    const Signature& s = signature;
    const Py_ssize_t positional = count < s.positional ? count : s.positional;
    for (Py_ssize_t i = 0; i < positional; ++i) values_[i] = arguments[i];
    if (count > positional) {
        if (s.star < 0)
            fail(ErrorKind::type, s.public_name(), ": takes ",
                 s.required == s.positional ? "" : "at most ", s.positional,
                 s.positional == 1 ? " argument, not " : " arguments, not ", count);
        rest_ = arguments + positional;
        rest_count_ = count - positional;
    }
    const Py_ssize_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;
    for (Py_ssize_t k = 0; k < named; ++k) {
        PyObject* keyword = PyTuple_GET_ITEM(keywords, k);
        const char* word = PyUnicode_AsUTF8(keyword);
        if (!word) throw_python();
        // NumPy's words for two common ones, as in PyTorch.
        if (std::strcmp(word, "axis") == 0) word = "dim";
        if (std::strcmp(word, "keepdims") == 0) word = "keepdim";
        std::size_t i = place_of(s, word);
        if (i == s.names.size()) i = place_of(s, longer(word));
        if (i == s.names.size())
            fail(ErrorKind::type, s.public_name(), ": there is no argument named '", word, "'");
        if (values_[i] || (static_cast<int>(i) == s.star && rest_count_ > 0))
            fail(ErrorKind::type, s.public_name(), ": '", word, "' is given twice");
        values_[i] = arguments[count + k];
    }
    for (int i = 0; i < s.required; ++i)
        if (!values_[i])
            fail(ErrorKind::type, s.public_name(), ": the argument '",
                 s.names[static_cast<std::size_t>(i)], "' is missing");
}

void Call::wrong(int i, const char* wanted) const {
    fail(ErrorKind::type, name(), ": ", signature_.names[static_cast<std::size_t>(i)], " must be ",
         wanted, ", not ", values_[i] ? type_name(values_[i]) : "nothing");
}

void add_functions(py::module_& m, std::span<const Function> functions) {
    for (const Function& f : functions) {
        const auto object = py::reinterpret_steal<py::object>(new_function(f));
        const std::string& name = function_in(object.ptr()).signature->name;
        if (f.place != Place::method) m.attr(name.c_str()) = object;
        if (f.place != Place::function)
            checked(PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), name.c_str(),
                                           object.ptr()));
    }
}

void bind_functions(py::module_&) {
    function_type = reinterpret_cast<PyTypeObject*>(checked(PyType_FromSpec(&spec)));
}

}  // namespace tg::python
