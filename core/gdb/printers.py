"""gdb shows tensors, nodes and programs as a learner wants to see them.

core/gdb/tapegraph.gdb loads this file. `print x` shows a tensor's values, shape, dtype, what made
it and its gradient; `tape x` and `program p` print what x was made by, and a program's lines;
`into` steps to the next function. The printers only read memory, so they also work on a core file;
`tape` and `program` call functions of the program.
"""

from __future__ import annotations

import os
import re

import gdb

DTYPES = {
    "boolean": ("bool", "bool"),
    "uint8": ("uint8", "unsigned char"),
    "int8": ("int8", "signed char"),
    "int32": ("int32", "int"),
    "int64": ("int64", "long"),
    "float32": ("float32", "float"),
    "float64": ("float64", "double"),
}
SHOWN = 6  # numbers of each row, and rows, that are shown of a large tensor


# ---- reading our types --------------------------------------------------------------------------


def dtype_of(value):
    """("float32", gdb's float) of a tg::DType."""
    name, c_name = DTYPES[str(value).rsplit("::", 1)[-1]]
    return name, gdb.lookup_type(c_name)


def pointee(ref):
    """What a tg::Ref points to, or None."""
    pointer = ref["pointer_"]
    return None if int(pointer) == 0 else pointer.dereference()


def dims(value):
    return [int(value["values"][i]) for i in range(int(value["count"]))]


def tuple_text(numbers):
    parts = ", ".join("?" if n <= -(1 << 40) else str(n) for n in numbers)
    return f"({parts},)" if len(numbers) == 1 else f"({parts})"


def place(where):
    """A tg::Where as product.cc:12; Python's lines are not resolved here."""
    if int(where["source"]) == 0:
        return ""
    if bool(where["python"]):
        return "a line of Python"
    file = where["source"].cast(gdb.lookup_type("char").pointer()).string()
    return f"{os.path.basename(file)}:{int(where['at'])}"


def at(where):
    text = place(where)
    return f" at {text}" if text else ""


def elements(inline):
    """Of a tg::Inline, one by one."""
    for i in range(int(inline["size_"])):
        yield inline["data_"][i]


def desc_text(desc):
    return f"{dtype_of(desc['dtype'])[0]} {tuple_text(dims(desc['shape']))}"


def number_text(value, name):
    if name == "bool":
        return "true" if int(value) else "false"
    return f"{float(value):.6g}" if name.startswith("float") else str(int(value))


def scalar_text(scalar):
    name, _ = dtype_of(scalar["dtype"])
    return number_text(scalar["real"] if name == "float64" else scalar["integer"], name)


def node_text(node):
    """#5 mul(#3, #4): its id, its op, and the nodes of its inputs."""
    inputs = []
    for entry in elements(node["inputs"]):
        source = pointee(entry["value"]["node"])
        if bool(entry["is_scalar"]):
            inputs.append(scalar_text(entry["scalar"]))
        else:
            inputs.append(f"#{int(source['id'])}" if source is not None else "_")
    return f"#{int(node['id'])} {node['op']['name'].string()}({', '.join(inputs)})"


def storage_text(storage, layout):
    """The numbers that a layout reads from a storage, as nested brackets."""
    if storage["symbol"]:
        return "symbolic: it has no values until its program runs"
    if str(storage["device"]).endswith("cuda"):
        return "on cuda: its bytes are not in this process's memory"
    shape, strides = dims(layout["shape"]), dims(layout["strides"])
    name, c_type = dtype_of(storage["dtype"])
    data = storage["data"].cast(c_type.pointer())

    def block(dim, offset):
        if dim == len(shape):
            return number_text(data[offset], name)
        places = range(shape[dim])
        shown = [block(dim + 1, offset + i * strides[dim]) for i in places[:SHOWN]]
        return "[" + ", ".join(shown + ["..."] * (shape[dim] > SHOWN)) + "]"

    return block(0, int(layout["offset"]))


def tensor_text(handle, with_grad=True):
    """[1, 2, 3] float32 (3,), made by #4 mul(#2, #3) at product.cc:12"""
    storage, history = pointee(handle["storage"]), pointee(handle["history"])
    layout = handle["layout"]
    text = storage_text(storage, layout)
    text += f"  {dtype_of(storage['dtype'])[0]} {tuple_text(dims(layout['shape']))}"
    seen = pointee(handle["seen"]["node"])
    if bool(history["leaf"]):
        text += ", leaf"
    elif seen is not None:
        text += f", made by {node_text(seen)}{at(seen['where'])}"
    version = storage["version"]["_M_i"]
    if int(version) > 0:
        text += f", written {int(version)} times"
    kept = handle["gradient"]["_M_ptr"]
    grad = pointee(kept.dereference()["value_"]) if int(kept) != 0 else None
    if with_grad and grad is not None:
        text += f", grad {tensor_text(grad, with_grad=False)}"
    return text


# ---- the printers -------------------------------------------------------------------------------


class Text:
    """A value that is one line of text."""

    def __init__(self, text):
        self.text = text

    def to_string(self):
        return self.text


class Elements:
    """A value that is shown as a list."""

    def __init__(self, values):
        self.values = list(values)

    def to_string(self):
        return f"{len(self.values)} of them" if self.values else "none"

    def children(self):
        return ((str(i), value) for i, value in enumerate(self.values))

    def display_hint(self):
        return "array"


def show_tensor(value):
    handle = pointee(value["handle_"])
    return Text("undefined" if handle is None else tensor_text(handle))


def show_array(value):
    """What a kernel gets."""
    count = int(value["dims"])
    shape, strides = ([int(value[k][i]) for i in range(count)] for k in ("shape", "strides"))
    name, _ = dtype_of(value["dtype"])
    return Text(f"{name} {tuple_text(shape)} strides {tuple_text(strides)} at {value['data']}")


def show_layout(value):
    shape, strides = tuple_text(dims(value["shape"])), tuple_text(dims(value["strides"]))
    return Text(f"shape {shape} strides {strides} offset {int(value['offset'])}")


def show_value(value):
    node = pointee(value["node"])
    if node is None:
        return Text("no value")
    output = f", output {int(value['index'])}" if int(value["index"]) else ""
    return Text(node_text(node) + output + at(node["where"]))


def show_node(value):
    outputs = ", ".join(desc_text(desc) for desc in elements(value["outputs"]))
    saved = [str(entry["what"]).rsplit("::", 1)[-1] for entry in elements(value["saved"])]
    text = f"{node_text(value)} -> {outputs}{at(value['where'])}"
    if saved:
        text += f", keeps {' '.join(saved)}"
    return Text(text + ", freed" * bool(value["freed"]))


def show_ref(value):
    target = pointee(value)
    if target is None:
        return Text("null")
    visualizer = printer_for(target.cast(target.dynamic_type))
    return visualizer or Text(f"-> {target.type} at {target.address}")


def show_arg(value):
    handle = pointee(value["tensor"]["handle_"])
    text = tensor_text(handle) if handle is not None else scalar_text(value["scalar"])
    return Text(text + (f", written at {place(value['where'])}" if place(value["where"]) else ""))


def string_text(string):
    return string["_M_dataplus"]["_M_p"].string(length=int(string["_M_string_length"]))


def attribute_text(attr):
    """Of a tg::Attr, a std::variant of int, float, dims, dtype, string, object."""
    variant = attr["value"]
    index = int(variant["_M_index"])
    names = ["long", "double", "tg::Dims", "tg::DType", "std::string", "tg::Ref<tg::Object>"]
    if not 0 <= index < len(names):
        return "?"
    address = variant["_M_u"].address
    held = address.cast(gdb.lookup_type(names[index]).pointer()).dereference()
    if index == 0:
        return str(int(held))
    if index == 1:
        return f"{float(held):.6g}"
    if index == 2:
        return tuple_text(dims(held))
    if index == 3:
        return dtype_of(held)[0]
    return repr(string_text(held)) if index == 4 else show_ref(held).to_string()


def show_attrs(value):
    vector = value["list_"]["_M_ptr"]
    if int(vector) == 0:
        return Text("none")
    first, last = (vector["_M_impl"][name] for name in ("_M_start", "_M_finish"))
    texts = [attribute_text(first[i]) for i in range(int(last - first))]
    return Text("(" + ", ".join(texts) + ")")


def show_program(value):
    lines = value["lines"]["_M_impl"]
    count = int(lines["_M_finish"] - lines["_M_start"])
    return Text(f"program {string_text(value['name'])}, lines: {count}; `program` shows them")


PRINTERS = [
    (r"tg::Tensor", show_tensor),
    (r"tg::Handle", lambda value: Text(tensor_text(value))),
    (r"tg::Dims", lambda value: Text(tuple_text(dims(value)))),
    (r"tg::Layout", show_layout),
    (r"tg::kernels::Array", show_array),
    (r"tg::Where", lambda value: Text(place(value) or "no line")),
    (r"tg::Scalar", lambda value: Text(scalar_text(value))),
    (r"tg::Arg", show_arg),
    (r"tg::Desc", lambda value: Text(desc_text(value))),
    (r"tg::Value", show_value),
    (r"tg::Node", show_node),
    (r"tg::Attrs", show_attrs),
    (r"tg::Op", lambda value: Text(f"op {value['name'].string()}")),
    (r"tg::Program", show_program),
    (r"tg::Ref<.*>", show_ref),
    (r"tg::Inline<.*>", lambda value: Elements(elements(value))),
]


def printer_for(value):
    """gdb asks this for each value that it is about to print."""
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
        value = value.referenced_value()
        kind = value.type.strip_typedefs()
    name = kind.unqualified().name or ""
    for pattern, show in PRINTERS:
        if re.fullmatch(pattern, name):
            try:
                return show(value)
            except (gdb.MemoryError, KeyError):  # not made yet, or gone
                return Text("not readable here")
    return None


# ---- the commands -------------------------------------------------------------------------------


def returned_text(call):
    """The std::string that a call in the program returns."""
    string = gdb.parse_and_eval(call)
    length = int(string["_M_string_length"])
    if length > 15:
        return string["_M_dataplus"]["_M_p"].string(length=length)
    return "".join(chr(int(string["_M_local_buf"][i])) for i in range(length))


class TapeCommand(gdb.Command):
    """tape EXPR: what the tensor EXPR was made by, one line a node, inputs before outputs."""

    def __init__(self):
        super().__init__("tape", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("tape: of which tensor? tape EXPR")
        gdb.write(returned_text(f"tg::tape_text({argument})"))


class IntoCommand(gdb.Command):
    """into: `step` until another function begins or goes on, and say which."""

    def __init__(self):
        super().__init__("into", gdb.COMMAND_RUNNING, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        def here():
            frame = gdb.selected_frame()
            symtab = frame.find_sal().symtab
            return frame.name() or "?", os.path.basename(symtab.filename) if symtab else "?"

        start = here()
        while here() == start:
            gdb.execute("step", to_string=True)
        function, file = here()
        name = re.sub(r"[(<].*", "", function.replace("(anonymous namespace)::", ""))
        gdb.write(f"{name}  in {file}\n")


class ProgramCommand(gdb.Command):
    """program EXPR: the lines of EXPR, a Program, a Ref<Program> or a Graph."""

    def __init__(self):
        super().__init__("program", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("program: which one? program EXPR")
        value = gdb.parse_and_eval(argument)
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_REF:
            value = value.referenced_value()
        if (value.type.strip_typedefs().name or "").startswith("tg::Ref<"):
            value = value["pointer_"]
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            if int(value) == 0:
                raise gdb.GdbError("program: this is null")
            value = value.dereference()
        name = value.type.strip_typedefs().unqualified().name
        if name not in ("tg::Program", "tg::Graph"):
            raise gdb.GdbError(f"program: {argument} is a {name}; give a Program or a Graph")
        gdb.write(returned_text(f"(({name}*){int(value.address)})->text()"))


gdb.pretty_printers.append(printer_for)
TapeCommand()
IntoCommand()
ProgramCommand()
