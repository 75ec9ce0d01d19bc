// A function of this module as data: its signature in Python's own notation, and a body that finds
// the arguments sorted by it. One object serves as `tg.sum(x, 0)` and as the method `x.sum(0)`.
//
//     PyObject* sum(const Call& c) { return wrap(tg::sum(c.operand(0), c.dim_list(1), ...)); }
//     const Function functions[] = {{"sum(input, dim=None, keepdim=False)", sum, "..."}};
#pragma once

#include <string>
#include <vector>

#include "python/bind.h"

namespace tg::python {

constexpr int max_parameters = 8;

// "name(a, b=1, *, c=2)": b and c may be left out, c must be named. "*shape" takes all further
// positional arguments.
struct Signature {
    std::string name;
    std::vector<std::string> names;
    int required = 0;
    int positional = 0;  // how many may be given without a name
    int star = -1;       // which one takes the rest
    explicit Signature(const char* text);

    // What users call it: the package offers "_grad" as autograd.grad.
    const char* public_name() const { return name.c_str() + (name[0] == '_' ? 1 : 0); }
};

class Call {
  public:
    // Sorts the arguments; throws TypeError for what is missing, unknown or too much.
    Call(const Signature& signature, PyObject* const* arguments, Py_ssize_t count,
         PyObject* keywords);

    const char* name() const { return signature_.public_name(); }
    PyObject* self() const { return values_[0]; }
    PyObject* operator[](int i) const { return values_[i]; }  // null: not given
    bool given(int i) const { return values_[i] && values_[i] != Py_None; }

    // Conversions of argument i. Each throws a TypeError that names function and parameter.
    Arg operand(int i) const;  // a tensor, a number or a NumPy array
    Tensor& tensor(int i) const;
    Scalar number(int i) const;
    bool flag(int i, bool otherwise = false) const;
    std::int64_t integer(int i) const;
    std::int64_t integer(int i, std::int64_t otherwise) const;
    double real(int i, double otherwise) const;
    std::string string(int i) const;
    DimList dim_list(int i) const;                  // None: all; an int; several
    Dims dims(int i) const;                         // (2, 3) or, of a star parameter, 2, 3
    std::vector<Tensor> tensors(int i) const;       // a list or tuple of them
    std::vector<Tensor> star_tensors(int i) const;  // one by one, or in one list
    DType dtype(int i, DType otherwise) const;
    Device device(int i) const;             // default_device() if not given
    Options options(int first) const;       // dtype, device, requires_grad in a row
    Options options_like(int first) const;  // the same, by default as those of argument 0
    Py_ssize_t rest_count() const { return rest_count_; }
    PyObject* rest(Py_ssize_t i) const { return rest_[i]; }

    // TypeError: "sum: dim must be an int, not str"
    [[noreturn]] void wrong(int i, const char* wanted) const;

  private:
    Tensor element(int i, Py_ssize_t k, PyObject* o) const;

    const Signature& signature_;
    PyObject* values_[max_parameters] = {};
    PyObject* const* rest_ = nullptr;
    Py_ssize_t rest_count_ = 0;
};

using Body = PyObject* (*)(const Call& call);

enum class Place { both, method, function };
struct Function {
    const char* signature;
    Body body;
    const char* doc;
    Place place = Place::both;
};
// Adds each to the module, to the tensor's type, or to both.
void add_functions(py::module_& m, std::span<const Function> functions);

// ---- conversions that operators share: convert.cc -----------------------------------------------

// False if o is none of these. An int past int64: OverflowError of an operand, else ValueError.
bool to_number(PyObject* o, Scalar& out);
bool to_operand(PyObject* o, Arg& out);
bool fits_int64(PyObject* o, std::int64_t& out);   // of an int; false: it is too large
bool to_integer(PyObject* o, std::int64_t& out);   // an int, or what has __index__
bool to_dtype(PyObject* o, DType& out);            // tg.float32, or float, int, bool
Dims to_dims(const char* op, PyObject* sequence);  // ints and unknown dims
std::int64_t to_dim(const char* op, PyObject* o);
inline Arg no_operand() { return Arg(Scalar(), nullptr, 0); }
const char* type_name(PyObject* o);  // "str", "numpy.ndarray"

// ---- what the files about tensors offer each other ----------------------------------------------
PyObject* dtype_object(DType dtype);  // new references, all of these
PyObject* device_object(Device device);
bool to_device(PyObject* o, Device& out);
PyObject* size_object(const Dims& shape);
PyObject* tuple_of(const std::vector<Tensor>& tensors);
// The named pair that max(dim) gives, or another; tapegraph.return_types offers each by its name,
// where pickle looks.
PyTypeObject* new_pair(const char* name, const char* doc);
PyObject* wrap_pair(PyTypeObject* type, const ValuesIndices& found);
bool is_unknown_dim(PyObject* o, std::int64_t& code);
PyObject* python_number(const Scalar& scalar);
bool is_numpy_array(PyObject* o);
Tensor copied_from_numpy(const char* op, PyObject* array);
PyObject* index_get(PyObject* self, PyObject* key);
int index_set(PyObject* self, PyObject* key, PyObject* value);
void truth_is_symbolic(const Tensor& x);  // throws: `if` of a symbol

}  // namespace tg::python
