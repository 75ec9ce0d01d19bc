// Shapes, views and joins; where a tensor is and what it is made of; conversions.
#include "core/history.h"
#include "core/pinned.h"
#include "python/call.h"

namespace tg::python {
namespace {

PyObject* reshape(const Call& c) {
    const Arg x(c.tensor(0));
    const Dims shape = c.dims(1);
    return wrap(compute(work_of(x), [&] { return tg::reshape(x, shape); }));
}
PyObject* view(const Call& c) { return wrap(tg::view(c.tensor(0), c.dims(1))); }
PyObject* flatten(const Call& c) {
    return wrap(tg::flatten(c.tensor(0), c.integer(1, 0), c.integer(2, -1)));
}
PyObject* permute(const Call& c) { return wrap(tg::permute(c.tensor(0), c.dims(1))); }
PyObject* transpose(const Call& c) {
    return wrap(tg::transpose(c.tensor(0), c.integer(1), c.integer(2)));
}
PyObject* t(const Call& c) {
    const Tensor& x = c.tensor(0);
    if (x.dims() > 2)
        fail(ErrorKind::runtime, "t: a tensor of shape ", text(x.shape()),
             " has more than 2 dims; use transpose or permute");
    return x.dims() < 2 ? new_reference(c.self()) : wrap(tg::transpose(x, 0, 1));
}
PyObject* squeeze(const Call& c) { return wrap(tg::squeeze(c.tensor(0), c.dim_list(1))); }
PyObject* unsqueeze(const Call& c) { return wrap(tg::unsqueeze(c.tensor(0), c.integer(1))); }
PyObject* expand(const Call& c) { return wrap(tg::expand(c.tensor(0), c.dims(1))); }
PyObject* select(const Call& c) {
    return wrap(tg::select(c.tensor(0), c.integer(1), c.integer(2)));
}
PyObject* contiguous(const Call& c) {
    const Arg x(c.tensor(0));
    return wrap_or(c.self(), compute(work_of(x), [&] { return tg::contiguous(x); }));
}
PyObject* clone(const Call& c) {
    const Arg x(c.tensor(0));
    return wrap(compute(work_of(x), [&] { return tg::clone(x); }));
}
PyObject* cat(const Call& c) { return wrap(tg::cat(c.tensors(0), c.integer(1, 0), python_line())); }
PyObject* stack(const Call& c) {
    return wrap(tg::stack(c.tensors(0), c.integer(1, 0), python_line()));
}

// ---- what it is ---------------------------------------------------------------------------------

// The dim that argument 1 names; unlike ops, these have nothing to say of dim 0 of no dims.
int own_dim(const Call& c, const Tensor& x) {
    if (x.dims() == 0)
        fail(ErrorKind::index, c.name(), ": a tensor of shape () has no dim ", c.integer(1));
    return wrap_dim(c.name(), c.integer(1), x.dims());
}

PyObject* size(const Call& c) {
    const Tensor& x = c.tensor(0);
    const auto shape = py::reinterpret_steal<py::object>(size_object(x.shape()));
    if (!c.given(1)) return new_reference(shape.ptr());
    return new_reference(PyTuple_GET_ITEM(shape.ptr(), own_dim(c, x)));
}
PyObject* dim(const Call& c) { return PyLong_FromLong(c.tensor(0).dims()); }
PyObject* numel(const Call& c) { return PyLong_FromLongLong(c.tensor(0).numel()); }
PyObject* stride(const Call& c) {
    const Tensor& x = c.tensor(0);
    const auto strides = py::reinterpret_steal<py::object>(size_object(x.strides()));
    if (!c.given(1)) return PySequence_Tuple(py::list(strides).ptr());
    return new_reference(PyTuple_GET_ITEM(strides.ptr(), own_dim(c, x)));
}
PyObject* storage_offset(const Call& c) {
    return PyLong_FromLongLong(c.tensor(0).handle().layout.offset);
}
PyObject* is_contiguous(const Call& c) { return PyBool_FromLong(c.tensor(0).is_contiguous()); }
PyObject* is_floating_point(const Call& c) {
    return PyBool_FromLong(is_floating(c.tensor(0).dtype()));
}
PyObject* element_size(const Call& c) { return PyLong_FromLongLong(size_of(c.tensor(0).dtype())); }
PyObject* data_ptr(const Call& c) { return PyLong_FromVoidPtr(c.tensor(0).data()); }

// ---- to another dtype or device -----------------------------------------------------------------

PyObject* converted(const Call& c, DType dtype) {
    const Arg x(c.tensor(0));
    if (x.tensor.dtype() == dtype) return new_reference(c.self());
    return wrap(compute(work_of(x), [&] { return cast(x, dtype); }));
}
PyObject* to_float32(const Call& c) { return converted(c, DType::float32); }
PyObject* to_float64(const Call& c) { return converted(c, DType::float64); }
PyObject* to_float16(const Call& c) { return converted(c, DType::float16); }
PyObject* to_bfloat16(const Call& c) { return converted(c, DType::bfloat16); }
PyObject* to_int16(const Call& c) { return converted(c, DType::int16); }
PyObject* to_int64(const Call& c) { return converted(c, DType::int64); }
PyObject* to_int32(const Call& c) { return converted(c, DType::int32); }
PyObject* to_bool(const Call& c) { return converted(c, DType::boolean); }

PyObject* moved(const Call& c, Device device, bool non_blocking) {
    const Arg x(c.tensor(0));
    if (x.tensor.device() == device) return new_reference(c.self());
    return wrap(compute(work_of(x), [&] { return to(x, device, non_blocking); }));
}
PyObject* cpu(const Call& c) { return moved(c, Device::cpu, false); }
PyObject* cuda(const Call& c) {
    const bool first = c.given(1) && PyLong_Check(c[1]) && c.integer(1) == 0;
    if (c.given(1) && !first && c.device(1) != Device::cuda)
        fail(ErrorKind::runtime, "cuda: device must be \"cuda\", and is \"cpu\"");
    return moved(c, Device::cuda, c.flag(2));
}

PyObject* pin_memory(const Call& c) {
    const Tensor x = c.tensor(0);
    return wrap_or(c.self(), compute(work_of(x), [&] { return tg::pin_memory(x); }));
}
// stream is a tapegraph.cuda.Stream, whatever it is: see allocator::share.
PyObject* record_stream(const Call& c) {
    const Tensor& x = c.tensor(0);
    if (!py::isinstance(c[1], py::module_::import("tapegraph.cuda").attr("Stream")))
        c.wrong(1, "a tapegraph.cuda.Stream");
    if (x.device() != Device::cuda)
        fail(ErrorKind::runtime, "record_stream: this tensor is on the cpu, where no stream is");
    if (!x.is_symbolic()) allocator::share(x.handle().storage->data);
    Py_RETURN_NONE;
}

PyObject* is_pinned(const Call& c) { return PyBool_FromLong(tg::is_pinned(c.tensor(0))); }

// PyTorch's old names, as x.type() still gives them.
PyObject* type(const Call& c) {
    const Tensor& x = c.tensor(0);
    if (c.given(1)) return converted(c, c.dtype(1, x.dtype()));
    static constexpr const char* names[][2] = {
        {"float32", "Float"}, {"float64", "Double"}, {"float16", "Half"}, {"bfloat16", "BFloat16"},
        {"int64", "Long"},    {"int32", "Int"},      {"int16", "Short"},  {"int8", "Char"},
        {"uint8", "Byte"},    {"bool", "Bool"}};
    std::string word = name_of(x.dtype());
    for (const auto& [dtype, name] : names)
        if (word == dtype) word = name;
    const char* where = x.device() == Device::cuda ? "cuda." : "";
    return PyUnicode_FromFormat("tapegraph.%s%sTensor", where, word.c_str());
}

// to(dtype), to(device), to(device, dtype), to(other): in any order, by name or not.
PyObject* to_what(const Call& c) {
    Tensor x = c.tensor(0);
    DType dtype = c.dtype(2, x.dtype());
    Device device = c.given(3) ? c.device(3) : x.device();
    for (Py_ssize_t i = c[1] ? -1 : 0; i < c.rest_count(); ++i) {
        PyObject* what = i < 0 ? c[1] : c.rest(i);
        if (what == Py_None) continue;
        if (is_tensor(what)) {
            dtype = tensor_in(what).dtype();
            device = tensor_in(what).device();
        } else if (!to_dtype(what, dtype) && !to_device(what, device)) {
            if (PyLong_Check(what) && !PyBool_Check(what))
                fail(ErrorKind::runtime,
                     "to: devices have no numbers; \"cpu\" and \"cuda\" are all");
            fail(ErrorKind::type, "to: a dtype, a device or a tensor, not ", type_name(what));
        }
    }
    const bool non_blocking = c.flag(4);
    const Tensor before = x;
    const std::int64_t work = work_of(x);
    x = compute(work, [&] {
        const Tensor y = before.dtype() == dtype ? before : cast(before, dtype);
        return y.device() == device ? y : to(y, device, non_blocking);
    });
    if (x.same(before) && c.flag(5)) x = tg::clone(x);
    return wrap_or(c.self(), x);
}

PyObject* type_as(const Call& c) { return converted(c, c.tensor(1).dtype()); }

const Function functions[] = {
    {"reshape(input, *shape)", reshape,
     "A view of this shape where it can be one, else a copy.\n"
     "One size may be -1: what is left."},
    {"view(input, *shape)", view, "A view of this shape; an error if only a copy could have it.",
     Place::method},
    {"flatten(input, start_dim=0, end_dim=-1)", flatten, "The dims from start to end made one."},
    {"permute(input, *dims)", permute, "A view with the dims in this order."},
    {"transpose(input, dim0, dim1)", transpose, "A view with two dims swapped."},
    {"t(input)", t, "(M, N) -> (N, M), a view; a vector or number as it is."},
    {"squeeze(input, dim=None)", squeeze, "A view without the dims of size 1 (or without dim)."},
    {"unsqueeze(input, dim)", unsqueeze, "A view with a new dim of size 1 at dim."},
    {"expand(input, *sizes)", expand, "A view with dims of size 1 repeated; -1 keeps a size.",
     Place::method},
    {"select(input, dim, index)", select, "A view of one index of a dim, which is gone from it."},
    {"contiguous(input)", contiguous, "The tensor itself if it is contiguous, else a copy.",
     Place::method},
    {"clone(input)", clone, "A copy, through which gradients flow."},
    {"cat(tensors, dim=0)", cat, "The tensors one after another along dim.", Place::function},
    {"stack(tensors, dim=0)", stack, "The tensors side by side along a new dim.", Place::function},
    {"size(input, dim=None)", size, "The shape, or the size of one dim.", Place::method},
    {"dim(input)", dim, "The number of dims.", Place::method},
    {"numel(input)", numel, "The number of elements."},
    {"nelement(input)", numel, "The number of elements.", Place::method},
    {"stride(input, dim=None)", stride, "How many elements to step along each dim, or along dim.",
     Place::method},
    {"storage_offset(input)", storage_offset, "Where its first element is in its storage.",
     Place::method},
    {"is_contiguous(input)", is_contiguous, "Do its elements lie in order, without gaps?",
     Place::method},
    {"is_floating_point(input)", is_floating_point, "Is its dtype floating?"},
    {"element_size(input)", element_size, "Bytes of one element.", Place::method},
    {"data_ptr(input)", data_ptr, "The address of its first element.", Place::method},
    {"float(input)", to_float32, "As float32.", Place::method},
    {"double(input)", to_float64, "As float64.", Place::method},
    {"half(input)", to_float16, "As float16.", Place::method},
    {"bfloat16(input)", to_bfloat16, "As bfloat16.", Place::method},
    {"short(input)", to_int16, "As int16.", Place::method},
    {"long(input)", to_int64, "As int64.", Place::method},
    {"int(input)", to_int32, "As int32.", Place::method},
    {"bool(input)", to_bool, "As bool: whether an element is not 0.", Place::method},
    {"cpu(input)", cpu, "On the CPU; itself if it is there.", Place::method},
    {"cuda(input, device=None, non_blocking=False)", cuda,
     "On the device \"cuda\"; itself if it is there. non_blocking as of to().", Place::method},
    {"to(input, *target, dtype=None, device=None, non_blocking=False, copy=False)", to_what,
     "As another dtype, on another device, or like another tensor; itself if it is so already.\n"
     "non_blocking: from pinned memory (pin_memory) the copy to a GPU is only begun; leave input "
     "as\n"
     "it is until cuda.synchronize() or a value of the device has been read.",
     Place::method},
    {"pin_memory(input)", pin_memory,
     "Its numbers in memory that a GPU reads by itself; itself if they are there. RuntimeError "
     "for\n"
     "a tensor on \"cuda\", one that gradients flow through, and within a trace or graph.",
     Place::method},
    {"record_stream(input, stream)", record_stream,
     "A cuda.Stream other than that in which it was made uses it too: its memory is not given to\n"
     "another tensor before that has ended.",
     Place::method},
    {"is_pinned(input)", is_pinned, "Is it in pinned memory?", Place::method},
    {"type(input, dtype=None)", type,
     "As another dtype; itself if it is of it. Without one, the name of its type as PyTorch "
     "writes\n"
     "it: \"tapegraph.FloatTensor\".",
     Place::method},
    {"type_as(input, other)", type_as, "As the dtype of other.", Place::method},
};

}  // namespace

void bind_layout(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
