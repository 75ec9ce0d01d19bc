// tg.Size, the tuple that x.shape is, and tg.Dim, a size that is not known until a graph is fed.
// A Dim can be passed on to ops; whatever asks for its number raises.
#include <map>

#include "python/call.h"

namespace tg::python {
namespace {

PyTypeObject* size_type = nullptr;
PyTypeObject* dim_type = nullptr;

struct DimObject {
    PyObject_HEAD std::int64_t code;
};

// ---- Dim ----------------------------------------------------------------------------------------

// One object for each unknown dim, so that two shapes with the same one compare equal.
PyObject* dim_object(std::int64_t code) {
    static auto& known = *new std::map<std::int64_t, PyObject*>;
    PyObject*& o = known[code];
    if (!o) {
        o = checked(PyType_GenericAlloc(dim_type, 0));
        reinterpret_cast<DimObject*>(o)->code = code;
    }
    return new_reference(o);
}

PyObject* no_number() {
    return guarded([]() -> PyObject* {
        fail(ErrorKind::runtime,
             "a dim of this graph is not known until it is fed; it can be passed on, as in "
             "reshape(x.shape[0], -1), but not "
             "compared or computed with");
    });
}

PyObject* dim_number(PyObject*) { return no_number(); }
PyObject* dim_binary(PyObject*, PyObject*) { return no_number(); }
int dim_bool(PyObject*) {
    no_number();
    return -1;
}
PyObject* dim_compare(PyObject*, PyObject*, int) { return no_number(); }
PyObject* dim_repr(PyObject*) { return PyUnicode_FromString("?"); }
Py_hash_t dim_hash(PyObject* o) {
    return static_cast<Py_hash_t>(reinterpret_cast<DimObject*>(o)->code);
}

template <class F>
void* slot(F* f) {
    return reinterpret_cast<void*>(f);
}

PyType_Slot dim_slots[] = {
    {Py_tp_repr, slot(dim_repr)},
    {Py_tp_hash, slot(dim_hash)},
    {Py_tp_richcompare, slot(dim_compare)},
    {Py_nb_bool, slot(dim_bool)},
    {Py_nb_int, slot(dim_number)},
    {Py_nb_float, slot(dim_number)},
    {Py_nb_index, slot(dim_number)},
    {Py_nb_negative, slot(dim_number)},
    {Py_nb_add, slot(dim_binary)},
    {Py_nb_subtract, slot(dim_binary)},
    {Py_nb_multiply, slot(dim_binary)},
    {Py_nb_true_divide, slot(dim_binary)},
    {Py_nb_floor_divide, slot(dim_binary)},
    {Py_nb_remainder, slot(dim_binary)},
    {Py_tp_doc, const_cast<char*>("A size that a graph learns when it is fed.")},
    {0, nullptr}};
PyType_Spec dim_spec = {"tapegraph.Dim", sizeof(DimObject), 0, Py_TPFLAGS_DEFAULT, dim_slots};

// ---- Size ---------------------------------------------------------------------------------------

PyObject* size_from(PyObject* tuple) {
    const Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    PyObject* size = checked(size_type->tp_alloc(size_type, n));
    for (Py_ssize_t i = 0; i < n; ++i)
        PyTuple_SET_ITEM(size, i, new_reference(PyTuple_GET_ITEM(tuple, i)));
    return size;
}

// What a tuple's own slot gives, as a Size if it is a tuple.
PyObject* as_size(PyObject* result) {
    if (!result || !PyTuple_CheckExact(result)) return result;
    return guarded([&] {
        const auto tuple = py::reinterpret_steal<py::object>(result);
        return size_from(tuple.ptr());
    });
}

PyObject* size_subscript(PyObject* self, PyObject* key) {
    return as_size(PyTuple_Type.tp_as_mapping->mp_subscript(self, key));
}
PyObject* size_concat(PyObject* a, PyObject* b) {
    return as_size(PyTuple_Type.tp_as_sequence->sq_concat(a, b));
}

PyObject* size_repr(PyObject* self) {
    return guarded([&] {
        const auto list = py::reinterpret_steal<py::object>(PySequence_List(self));
        if (!list) throw_python();
        return PyUnicode_FromFormat("tapegraph.Size(%R)", list.ptr());
    });
}

PyObject* size_numel(PyObject* self, PyObject*) {
    return guarded([&] { return PyLong_FromLongLong(element_count(to_dims("numel", self))); });
}

// Pickled and copied by value.
PyObject* size_reduce(PyObject* self, PyObject*) {
    PyObject* tuple = PySequence_List(self);
    return tuple ? Py_BuildValue("(O(N))", size_type, tuple) : nullptr;
}

PyMethodDef size_methods[] = {
    {"numel", size_numel, METH_NOARGS, "The number of elements of a tensor of this shape."},
    {"__reduce__", size_reduce, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyType_Slot size_slots[] = {{Py_tp_repr, slot(size_repr)},
                            {Py_mp_subscript, slot(size_subscript)},
                            {Py_sq_concat, slot(size_concat)},
                            {Py_tp_methods, size_methods},
                            {Py_tp_doc, const_cast<char*>("A tensor's shape: a tuple of ints.")},
                            {0, nullptr}};
PyType_Spec size_spec = {"tapegraph.Size", 0, 0, Py_TPFLAGS_DEFAULT, size_slots};

}  // namespace

PyObject* size_object(const Dims& shape) {
    PyObject* size = checked(size_type->tp_alloc(size_type, shape.size()));
    for (int i = 0; i < shape.size(); ++i)
        PyTuple_SET_ITEM(
            size, i, is_unknown(shape[i]) ? dim_object(shape[i]) : PyLong_FromLongLong(shape[i]));
    return size;
}

bool is_unknown_dim(PyObject* o, std::int64_t& code) {
    if (Py_TYPE(o) != dim_type) return false;
    code = reinterpret_cast<DimObject*>(o)->code;
    return true;
}

void bind_shapes(py::module_& m) {
    dim_type = reinterpret_cast<PyTypeObject*>(checked(PyType_FromSpec(&dim_spec)));
    dim_type->tp_new = nullptr;  // only a placeholder makes one
    const auto bases = py::make_tuple(py::handle(reinterpret_cast<PyObject*>(&PyTuple_Type)));
    size_type =
        reinterpret_cast<PyTypeObject*>(checked(PyType_FromSpecWithBases(&size_spec, bases.ptr())));
    m.attr("Dim") = py::handle(reinterpret_cast<PyObject*>(dim_type));
    m.attr("Size") = py::handle(reinterpret_cast<PyObject*>(size_type));
}

}  // namespace tg::python
