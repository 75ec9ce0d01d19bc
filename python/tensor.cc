// tg.Tensor, a CPython type whose object holds a tg::Tensor. Its number slots are in operators.cc,
// its methods in the files by theme; here are birth, death, and properties.

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include "core/history.h"
#include "python/call.h"
#include "python/slots.h"

namespace tg::python {

PyTypeObject* tensor_type = nullptr;

namespace {

TensorObject& object_in(PyObject* o) { return *reinterpret_cast<TensorObject*>(o); }

// Lets go of a gradient. A gradient may have one of its own, and so on for a million: only the
// outermost call on a thread lets go, of one after another, so that the stack stays flat.
void release(PyObject* grad) {
    thread_local std::vector<PyObject*>* waiting = nullptr;
    if (!grad) return;
    if (waiting) {
        waiting->push_back(grad);
        return;
    }
    std::vector<PyObject*> list{grad};
    waiting = &list;
    while (!list.empty()) {
        PyObject* next = list.back();
        list.pop_back();
        Py_DECREF(next);
    }
    waiting = nullptr;
}

// Each tensor has one object, so that `x is x` where it comes back from a hook or a compiled
// function: its handle knows the object, and does not keep it.
void forget(PyObject* self) {
    const Tensor& tensor = tensor_in(self);
    if (tensor.defined() && tensor.handle().object == self) tensor.handle().object = nullptr;
}

void dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    TensorObject& object = object_in(self);
    forget(self);
    if (object.weak_references) PyObject_ClearWeakRefs(self);
    PyObject* grad = std::exchange(object.grad, nullptr);
    object.tensor.~Tensor();
    type->tp_free(self);
    Py_DECREF(type);
    release(grad);
}

// Tensor(), Tensor([1, 2]): PyTorch's old constructor, whose numbers become floating. tg.tensor is
// the one to use.
PyObject* construct(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    return guarded([&]() -> PyObject* {
        if (keywords && PyDict_GET_SIZE(keywords) > 0)
            fail(ErrorKind::type, "Tensor: takes no keywords; use tg.tensor(data, dtype=...)");
        if (PyTuple_GET_SIZE(arguments) == 0) return wrap_as(empty(Dims{0}), type);
        if (PyTuple_GET_SIZE(arguments) > 1)
            fail(ErrorKind::type, "Tensor: takes one argument; use tg.tensor or tg.zeros");
        const auto make = py::module_::import("tapegraph._C").attr("tensor");
        const py::object made = make(py::handle(PyTuple_GET_ITEM(arguments, 0)));
        const Tensor t = tensor_in(made.ptr());
        return wrap_as(t.dtype() == default_dtype() ? t.detach() : cast(t, default_dtype()), type);
    });
}

// Tensor._make_subclass(cls, data, requires_grad): the same bytes, a leaf of its own.
PyObject* make_subclass(PyObject* cls, PyObject* arguments) {
    return guarded([&]() -> PyObject* {
        PyObject* data = nullptr;
        int requires_grad = 0;
        if (!PyArg_ParseTuple(arguments, "Op", &data, &requires_grad)) throw_python();
        if (!is_tensor(data))
            fail(ErrorKind::type, "Parameter: data must be a tensor, not ", type_name(data));
        Tensor own = tensor_in(data).detach();
        if (requires_grad) own.requires_grad_(true, python_line());
        return wrap_as(own, reinterpret_cast<PyTypeObject*>(cls));
    });
}

// All elements of x's storage in a row, and the same part of another storage as x is of its own:
// what a copy of several views is made of.
PyObject* whole(PyObject* self, PyObject*) {
    return guarded([&] {
        const Tensor& x = tensor_in(self);
        if (x.is_symbolic()) x.data();  // throws, and says where it is from
        const Ref<Storage>& storage = x.handle().storage;
        return wrap(tensor_of(storage, Layout::contiguous(storage->shape)));
    });
}

PyObject* part_of(PyObject* self, PyObject* other) {
    return guarded([&]() -> PyObject* {
        const Tensor& x = tensor_in(self);
        if (!is_tensor(other)) fail(ErrorKind::type, "_part_of: needs a tensor");
        const Ref<Storage>& storage = tensor_in(other).handle().storage;
        if (storage->shape != x.handle().storage->shape || storage->dtype != x.dtype())
            fail(ErrorKind::value, "_part_of: another storage has another shape");
        return wrap(tensor_of(storage, x.handle().layout));
    });
}

// ---- properties ---------------------------------------------------------------------------------

template <PyObject* (*get)(PyObject* self, const Tensor& x)>
PyObject* getter(PyObject* self, void*) {
    return guarded([&] { return get(self, tensor_in(self)); });
}

template <void (*set)(PyObject* self, Tensor& x, PyObject* value)>
int setter(PyObject* self, PyObject* value, void*) {
    PyObject* done = guarded([&]() -> PyObject* {
        if (!value) fail(ErrorKind::type, "a tensor's attributes cannot be deleted");
        const Here here(python_line());
        set(self, tensor_in(self), value);
        return Py_None;
    });
    return done ? 0 : -1;
}

PyObject* boolean(bool v) { return new_reference(v ? Py_True : Py_False); }

PyObject* get_shape(PyObject*, const Tensor& x) { return size_object(x.shape()); }
PyObject* get_dtype(PyObject*, const Tensor& x) { return dtype_object(x.dtype()); }
PyObject* get_device(PyObject*, const Tensor& x) { return device_object(x.device()); }
PyObject* get_requires_grad(PyObject*, const Tensor& x) { return boolean(x.requires_grad()); }
PyObject* get_is_leaf(PyObject*, const Tensor& x) { return boolean(x.is_leaf()); }
PyObject* get_is_symbolic(PyObject*, const Tensor& x) { return boolean(x.is_symbolic()); }
PyObject* get_is_cuda(PyObject*, const Tensor& x) { return boolean(x.device() == Device::cuda); }
PyObject* get_ndim(PyObject*, const Tensor& x) { return PyLong_FromLong(x.dims()); }
PyObject* get_version(PyObject*, const Tensor& x) { return PyLong_FromUnsignedLong(x.version()); }
PyObject* get_itemsize(PyObject*, const Tensor& x) {
    return PyLong_FromLongLong(size_of(x.dtype()));
}
PyObject* get_nbytes(PyObject*, const Tensor& x) {
    return PyLong_FromLongLong(x.numel() * size_of(x.dtype()));
}
PyObject* get_data(PyObject*, const Tensor& x) { return wrap(x.detach()); }

PyObject* get_transposed(PyObject*, const Tensor& x) {
    const Here here(python_line());
    Dims order;
    for (int d = x.dims(); d-- > 0;) order.push_back(d);
    return wrap(permute(x, order));
}

PyObject* get_matrix_transposed(PyObject*, const Tensor& x) {
    const Here here(python_line());
    if (x.dims() < 2)
        fail(ErrorKind::runtime, "mT: a tensor of shape ", text(x.shape()),
             " has no matrix to transpose; it needs 2 dims or more");
    return wrap(transpose(x, -2, -1));
}

// None where a beginner waits for a gradient: after w = w - rate * w.grad, w is no leaf any more.
void warn_of_result(const Tensor& x) {
    if (x.is_leaf() || x.retains_grad()) return;
    checked(
        PyErr_WarnEx(PyExc_UserWarning,
                     ("grad: this tensor of shape " + text(x.shape()) +
                      " is the result of an op and no leaf, so backward leaves no .grad in it; "
                      "look at the leaf that it was made from, or call retain_grad() on it first")
                         .c_str(),
                     1));
}

// The object handed out last is kept, so that `x.grad is x.grad`.
PyObject* get_grad(PyObject* self, const Tensor& x) {
    PyObject*& kept = object_in(self).grad;
    Tensor grad = x.grad();
    if (!grad.defined()) {
        Py_CLEAR(kept);
        warn_of_result(x);
        Py_RETURN_NONE;
    }
    if (kept && tensor_in(kept).same(grad)) return new_reference(kept);
    PyObject* now = wrap(grad);
    PyObject* before = std::exchange(kept, new_reference(now));
    Py_XDECREF(before);  // last: it may run a user's __del__, which may come here
    return now;
}

void set_grad(PyObject* self, Tensor& x, PyObject* value) {
    if (value != Py_None && !is_tensor(value))
        fail(ErrorKind::type, "grad: must be a tensor or None, not ", type_name(value));
    x.set_grad(value == Py_None ? Tensor() : tensor_in(value));
    PyObject* before = object_in(self).grad;
    object_in(self).grad = value == Py_None ? nullptr : new_reference(value);
    Py_XDECREF(before);
}

void set_requires_grad(PyObject*, Tensor& x, PyObject* value) {
    if (!PyBool_Check(value))
        fail(ErrorKind::type, "requires_grad: must be True or False, not ", type_name(value));
    x.requires_grad_(value == Py_True, python_line());
}

// `p.data = t` writes t's values into p; `p.data -= t` has written them already.
void set_data(PyObject*, Tensor& x, PyObject* value) {
    if (!is_tensor(value)) fail(ErrorKind::type, "data: must be a tensor, not ", type_name(value));
    const Tensor& v = tensor_in(value);
    if (v.handle().storage == x.handle().storage && v.handle().layout == x.handle().layout) return;
    if (v.shape() != x.shape() || v.dtype() != x.dtype())
        fail(ErrorKind::runtime, "data: a tensor keeps its shape and dtype, ", describe(x),
             "; this one is ", describe(v));
    const NoGrad no_grad;
    copy_(x, v);
}

PyGetSetDef properties[] = {
    {"shape", getter<get_shape>, nullptr, "The sizes of its dims, a tg.Size.", nullptr},
    {"dtype", getter<get_dtype>, nullptr, "The type of its elements.", nullptr},
    {"device", getter<get_device>, nullptr, "Where its bytes are.", nullptr},
    {"requires_grad", getter<get_requires_grad>, setter<set_requires_grad>,
     "Do gradients flow to it? Can be set on leaves.", nullptr},
    {"grad", getter<get_grad>, setter<set_grad>,
     "What backward() has added up here: a tensor of this shape, or None. UserWarning where it is "
     "None because the tensor is a result, no leaf.",
     nullptr},
    {"is_leaf", getter<get_is_leaf>, nullptr, "Was it made by the user, not by an op?", nullptr},
    {"is_symbolic", getter<get_is_symbolic>, nullptr,
     "Does it only stand for a value, in a graph or a trace?", nullptr},
    {"is_cuda", getter<get_is_cuda>, nullptr, "Is it on the device \"cuda\"?", nullptr},
    {"ndim", getter<get_ndim>, nullptr, "The number of its dims.", nullptr},
    {"itemsize", getter<get_itemsize>, nullptr, "Bytes of one element.", nullptr},
    {"nbytes", getter<get_nbytes>, nullptr, "Bytes of all elements.", nullptr},
    {"_version", getter<get_version>, nullptr, "How often its bytes were written.", nullptr},
    {"T", getter<get_transposed>, nullptr, "The view with its dims in reverse order.", nullptr},
    {"mT", getter<get_matrix_transposed>, nullptr, "The view with the last two dims swapped.",
     nullptr},
    {"data", getter<get_data>, setter<set_data>, "The same bytes without the tape: detach().",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(TensorObject, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

PyMethodDef methods[] = {{"_make_subclass", make_subclass, METH_VARARGS | METH_CLASS, nullptr},
                         {"_whole", whole, METH_NOARGS, nullptr},
                         {"_part_of", part_of, METH_O, nullptr},
                         {nullptr, nullptr, 0, nullptr}};

PyObject* repr(PyObject* self) {
    return guarded([&] {
        const Here here(python_line(), "repr");
        const std::string s = text(tensor_in(self));
        return PyUnicode_FromStringAndSize(s.data(), static_cast<Py_ssize_t>(s.size()));
    });
}

Py_hash_t hash(PyObject* self) {
    return static_cast<Py_hash_t>(reinterpret_cast<std::uintptr_t>(self) >> 4);
}

constexpr const char* doc =
    "A tensor: elements of one dtype in a shape, and, if it requires gradients, how it was made.\n"
    "Made by tg.tensor, tg.zeros, tg.from_numpy and the ops; methods are named as in PyTorch.";

}  // namespace

PyObject* wrap_as(Tensor tensor, PyTypeObject* type) {
    if (!tensor.defined()) Py_RETURN_NONE;
    PyObject* o = checked(type->tp_alloc(type, 0));
    new (&object_in(o).tensor) Tensor(std::move(tensor));
    void*& object = tensor_in(o).handle().object;
    if (!object) object = o;
    return o;
}

PyObject* wrap(Tensor tensor) {
    auto* known = tensor.defined() ? static_cast<PyObject*>(tensor.handle().object) : nullptr;
    // One that is being taken apart, by its weak references or its __del__, is left in peace.
    if (known && Py_REFCNT(known) > 0) return new_reference(known);
    return wrap_as(std::move(tensor), tensor_type);
}

void bind_tensor(py::module_& m) {
    std::vector<PyType_Slot> slots = {{Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                                      {Py_tp_new, reinterpret_cast<void*>(construct)},
                                      {Py_tp_repr, reinterpret_cast<void*>(repr)},
                                      {Py_tp_hash, reinterpret_cast<void*>(hash)},
                                      {Py_tp_getset, properties},
                                      {Py_tp_members, members},
                                      {Py_tp_methods, methods},
                                      {Py_tp_doc, const_cast<char*>(doc)}};
    add_operator_slots(slots);
    slots.push_back({0, nullptr});
    PyType_Spec spec = {"tapegraph.Tensor", sizeof(TensorObject), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots.data()};
    tensor_type = reinterpret_cast<PyTypeObject*>(checked(PyType_FromSpec(&spec)));
    const py::handle type(reinterpret_cast<PyObject*>(tensor_type));
    type.attr("__array_ufunc__") = py::none();  // NumPy leaves `array + tensor` to us
    type.attr("__array_priority__") = 1000;
    m.attr("Tensor") = type;
}

}  // namespace tg::python
