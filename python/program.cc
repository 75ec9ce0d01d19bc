// Programs as Python sees them: their text, lines and passes.
#include "graph/program.h"

#include "graph/execute.h"
#include "graph/passes/pass.h"
#include "graph/svg.h"
#include "python/call.h"
#include "python/program.h"

namespace tg::python {
namespace {

py::list lines_of(const PyProgram& p) {
    py::list all;
    for (const Line& line : p.program->lines) {
        py::dict d;
        d["op"] = line.op->name;
        py::list in;
        for (const Operand& operand : line.in) {
            if (operand.value >= 0)
                in.append(operand.value);
            else
                in.append(py::reinterpret_steal<py::object>(python_number(operand.scalar)));
        }
        d["in"] = in;
        d["out"] = py::list();
        for (int out : line.out) d["out"].cast<py::list>().append(out);
        d["line"] = text(line.where);
        all.append(d);
    }
    return all;
}

std::vector<const Pass*> passes_named(const py::object& names) {
    std::vector<const Pass*> passes;
    if (names.is_none()) {
        for (const Pass* pass : all_passes()) passes.push_back(pass);
        return passes;
    }
    for (const py::handle& name : names) {
        const auto word = py::cast<std::string>(name);
        const Pass* pass = find_pass(word);
        if (!pass) {
            std::string known;
            for (const Pass* p : all_passes())
                known += (known.empty() ? "" : ", ") + std::string(p->name);
            fail(ErrorKind::value, "optimise: there is no pass '", word, "'; there are ", known);
        }
        passes.push_back(pass);
    }
    return passes;
}

// show(name, before, after), before and after being the programs' texts.
PyProgram optimised(const PyProgram& p, const py::object& passes, const py::object& show) {
    ShowPass callback;
    if (!show.is_none())
        callback = [&show](const Pass& pass, const Program& before, const Program& after) {
            show(pass.name, before.text(), after.text());
        };
    return {optimise(*p.program, passes_named(passes), callback)};
}

std::string svg_of(const PyProgram& p) { return program_svg(*p.program); }

const PyProgram& program_in(const Call& c, int i) {
    if (!c[i] || !py::isinstance<PyProgram>(c[i])) c.wrong(i, "a Program");
    return *py::handle(c[i]).cast<PyProgram*>();
}

PyObject* string_object(const std::string& s) {
    return PyUnicode_FromStringAndSize(s.data(), static_cast<Py_ssize_t>(s.size()));
}

PyObject* parse(const Call& c) {
    return program_object(parse_program(c.string(0))).release().ptr();
}

PyObject* passes_function(const Call&) {
    py::list names;
    for (const Pass* pass : all_passes())
        names.append(py::make_tuple(pass->name, pass->exact, pass->what));
    return names.release().ptr();
}

PyObject* difference_function(const Call& c) {
    const PyProgram& before = program_in(c, 0);
    const PyProgram& after = program_in(c, 1);
    return string_object(difference(*before.program, *after.program));
}

PyObject* tape_svg_function(const Call& c) { return string_object(tape_svg(c.tensor(0))); }

constexpr Place function = Place::function;
const Function functions[] = {
    {"parse_program(text)", parse, "Reads a program's text.", function},
    {"passes()", passes_function,
     "(name, bit-exact?, what it does) of every pass, in the order in which they run.", function},
    {"difference(before, after)", difference_function, "Two programs, as `diff -u` prints them.",
     function},
    {"tape_svg(input)", tape_svg_function, "A picture of the tape that made input, as SVG text.",
     function},
};

}  // namespace

void bind_program(py::module_& m) {
    py::class_<PyProgram> program(
        m, "Program", "Lines of ops on numbered values; its text reads back.", py::is_final());
    constructed_by(program);
    program
        .def(
            "text", [](const PyProgram& p) { return p.program->text(); }, "One line an op.")
        .def("svg", &svg_of, "A picture of it, as SVG text.")
        .def("_repr_svg_", &svg_of)
        .def("__str__", [](const PyProgram& p) { return p.program->text(); })
        .def("__repr__", [](const PyProgram& p) { return p.program->text(); })
        .def("__len__", [](const PyProgram& p) { return p.program->lines.size(); })
        .def("__eq__",
             [](const PyProgram& p, const py::object& other) {
                 return py::isinstance<PyProgram>(other) &&
                        p.program->equals(*py::cast<PyProgram&>(other).program);
             })
        .def("__hash__",
             [](const PyProgram& p) { return std::hash<std::string>()(p.program->text()); })
        .def_property_readonly("lines", &lines_of,
                               "A dict for each line: op, in (value numbers and plain numbers), "
                               "out, and the user's line.")
        .def(
            "verify", [](const PyProgram& p) { verify(*p.program); },
            "Raises RuntimeError if an invariant is broken.")
        .def("optimise", &optimised, py::arg("passes") = py::none(), py::arg("show") = py::none(),
             "What the named passes (or all) make of it; show(name, before, after) sees each.");
    add_functions(m, functions);
}

}  // namespace tg::python
