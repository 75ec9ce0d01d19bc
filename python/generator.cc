// tg.Generator, and the functions of the default one.
#include "python/generator.h"

#include "core/recording.h"

namespace tg::python {
namespace {

PyObject* default_object = nullptr;  // one Python object, so that `is` holds

// Generator(device="cpu")
PyObject* new_generator(PyTypeObject*, PyObject* arguments, PyObject* keywords) {
    return guarded([&] {
        static const char* const names[] = {"device", nullptr};
        const Here here(python_line(), "Generator");
        PyObject* asked = nullptr;
        if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:Generator",
                                         const_cast<char**>(names), &asked))
            throw_python();
        Device device = Device::cpu;
        if (asked && asked != Py_None && !to_device(asked, device))
            fail(ErrorKind::type, "Generator: device must be \"cpu\" or \"cuda\", not ",
                 type_name(asked));
        return py::cast(Generator(device)).release().ptr();
    });
}

// -2^63 .. 2^64 - 1; a negative one is the unsigned number of the same bits.
std::uint64_t seed_in(const char* op, PyObject* o) {
    if (PyFloat_Check(o) || !PyIndex_Check(o))
        fail(ErrorKind::type, op, ": seed must be an int, not ", type_name(o));
    const auto seed = py::reinterpret_steal<py::object>(checked(PyNumber_Index(o)));
    int too_large = 0;
    const long long number = PyLong_AsLongLongAndOverflow(seed.ptr(), &too_large);
    if (too_large == 0) return static_cast<std::uint64_t>(number);
    const unsigned long long large = too_large > 0 ? PyLong_AsUnsignedLongLong(seed.ptr()) : 0;
    if (too_large < 0 || PyErr_Occurred()) {
        PyErr_Clear();
        fail(ErrorKind::value, op, ": the seed ", std::string(py::str(seed)),
             " does not fit into 64 bits");
    }
    return large;
}

py::object start(const py::object& self, const py::object& seed) {
    const Here here(python_line(), "manual_seed");
    py::cast<Generator&>(self).manual_seed(seed_in("manual_seed", seed.ptr()));
    return self;
}

std::uint64_t start_anywhere(Generator& g) {
    const Here here(python_line(), "seed");
    return g.seed();
}

std::uint64_t seed_of(const Generator& g) {
    const Here here(python_line(), "initial_seed");
    return g.initial_seed();
}

py::object state_of(const Generator& g) {
    const Here here(python_line(), "get_state");
    return py::reinterpret_steal<py::object>(wrap(g.get_state()));
}

void go_on_from(Generator& g, const py::object& state) {
    const Here here(python_line(), "set_state");
    if (!is_tensor(state.ptr()))
        fail(ErrorKind::type, "set_state: new_state must be a tensor, not ",
             type_name(state.ptr()));
    g.set_state(tensor_in(state.ptr()));
}

Generator clone_of(const Generator& g) {
    const Here here(python_line(), "clone_state");
    return g.clone_state();
}

// What copy and pickle make it anew by.
py::tuple parts_of(const py::object& self) {
    const auto& g = py::cast<const Generator&>(self);
    return py::make_tuple(py::type::of(self), py::make_tuple(name_of(g.device())), state_of(g));
}

std::string described(const Generator& g) {
    std::string s = std::string("<tapegraph.Generator on ") + name_of(g.device());
    if (recording()) return s + ">";  // its numbers are known when the program runs
    const Tensor state = g.get_state();
    const auto* numbers = static_cast<const std::uint64_t*>(state.data());
    return s + ", seed " + std::to_string(numbers[0]) + ", offset " + std::to_string(numbers[1]) +
           ">";
}

// ---- of the default generator -------------------------------------------------------------------

PyObject* manual_seed(const Call& c) {
    default_generator().manual_seed(seed_in("manual_seed", c[0]));
    return new_reference(default_object);
}
PyObject* seed(const Call&) { return PyLong_FromUnsignedLongLong(default_generator().seed()); }
PyObject* initial_seed(const Call&) {
    return PyLong_FromUnsignedLongLong(default_generator().initial_seed());
}
PyObject* get_rng_state(const Call&) { return wrap(rng_state()); }
PyObject* set_rng_state(const Call& c) {
    tg::set_rng_state(c.tensor(0));
    Py_RETURN_NONE;
}

constexpr Place function = Place::function;
const Function functions[] = {
    {"manual_seed(seed)", manual_seed,
     "Starts the default generator anew and returns it. seed is an int from -2**63 to 2**64 - 1,\n"
     "or ValueError.",
     function},
    {"seed()", seed,
     "Starts the default generator from a seed that the system gives, and returns the seed.",
     function},
    {"initial_seed()", initial_seed, "The default generator's seed, from 0 to 2**64 - 1.",
     function},
    {"get_rng_state()", get_rng_state,
     "The default generator's state, (2,) int64: a copy, which tg.save can keep.", function},
    {"set_rng_state(new_state)", set_rng_state,
     "Lets the default generator go on from a state that get_rng_state gave.", function},
};

}  // namespace

const Generator& generator_in(const Call& c, int i) {
    if (!c.given(i)) return default_generator();
    const py::handle given(c[i]);
    if (!py::isinstance<Generator>(given)) c.wrong(i, "a Generator");
    return py::cast<const Generator&>(given);
}

void bind_generator(py::module_& m) {
    py::class_<Generator> cls(
        m, "Generator",
        "Generator(device='cpu')\n\n"
        "Random numbers of their own, for tensors on device: pass it as generator= to rand, "
        "randn,\n"
        "randint, randperm, bernoulli, multinomial, normal, the functions of nn.init, DataLoader.\n"
        "Its state is a variable of two numbers, the seed and how much has been drawn: a compiled\n"
        "function and a Graph that draw from it move it on, and draw what the tape would have\n"
        "drawn. Whether copied or pickled, both go on from the same place. Raises RuntimeError in\n"
        "a function that is being compiled, whose program could not make it anew at each call.",
        py::is_final());
    constructed_by(cls, new_generator);
    cls.def("manual_seed", &start, py::arg("seed"),
            "Starts anew and returns itself. seed is an int from -2**63 to 2**64 - 1, or "
            "ValueError.")
        .def("seed", &start_anywhere,
             "Starts from a seed that the system gives, and returns the seed.")
        .def("initial_seed", &seed_of, "The seed, from 0 to 2**64 - 1.")
        .def("get_state", &state_of,
             "(2,) int64, the seed and how much has been drawn: a copy, which tg.save can keep.")
        .def("set_state", &go_on_from, py::arg("new_state"),
             "Goes on from a state that get_state gave. Raises TypeError if it is no int64 tensor\n"
             "on the CPU, RuntimeError if its shape is not (2,).")
        .def("clone_state", &clone_of, "Another generator, at the same place.")
        .def_property_readonly(
            "device",
            [](const Generator& g) {
                return py::reinterpret_steal<py::object>(device_object(g.device()));
            },
            "Where the tensors are that it draws for.")
        .def("__reduce__", &parts_of)
        .def("__repr__", &described);
    cls.attr("__setstate__") = cls.attr("set_state");  // pybind11 takes a def for a constructor
    default_object = py::cast(default_generator()).release().ptr();
    m.attr("default_generator") = py::handle(default_object);
    add_functions(m, functions);
}

}  // namespace tg::python
