"""tapegraph: one set of operations, two ways to run them.

A tape that is written while Python runs (as in PyTorch), and a graph that is written first and run
later (as in TensorFlow), from the same lines. Names and semantics are PyTorch's.

    import tapegraph as tg
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()       # the tape: w.grad is [2, 4]
    step = tg.compile(lambda x: (x * w).sum())
    step(tg.ones(2))               # the graph: traced once, then run as a program
"""

import os as _os

from . import (
    _C,
    _lines,
    _tensor,  # noqa: F401  (adds the tensor's methods that are written in Python)
    allocator,
    autograd,
    cuda,
    nn,
    optim,
)
from ._C import (
    Dim,
    Graph,
    Node,
    OutOfMemoryError,
    OutOfRangeError,
    Program,
    Size,
    Tensor,
    abs,
    add,
    amax,
    arange,
    argmax,
    as_tensor,
    assign,
    bool,
    cat,
    clamp,
    clone,
    constant,
    cpu_level,
    detach,
    device,
    difference,
    div,
    double,
    dtype,
    empty,
    empty_like,
    eq,
    exp,
    flatten,
    float,
    float32,
    float64,
    from_numpy,
    full,
    full_like,
    gather,
    ge,
    get_default_dtype,
    get_num_threads,
    gradients,
    gt,
    int,
    int8,
    int32,
    int64,
    is_floating_point,
    is_grad_enabled,
    le,
    log,
    log_softmax,
    logical_not,
    long,
    lt,
    manual_seed,
    matmul,
    max,
    maximum,
    mean,
    minimum,
    mul,
    ne,
    neg,
    node_count,
    nodes_made,
    numel,
    one_hot,
    ones,
    ones_like,
    ops_run,
    parse_program,
    passes,
    permute,
    placeholder,
    pow,
    rand,
    rand_like,
    randn,
    randn_like,
    relu,
    reshape,
    scatter_add,
    select,
    set_cpu_level,
    set_default_dtype,
    set_num_threads,
    sign,
    softmax,
    sqrt,
    squeeze,
    stack,
    sub,
    sum,
    t,
    tanh,
    tape_svg,
    tape_text,
    tensor,
    transpose,
    uint8,
    unsqueeze,
    where,
    zeros,
    zeros_like,
)
from .autograd import enable_grad, no_grad, set_grad_enabled
from .compiled import Compiled, compile, lockstep
from .session import Session

__version__ = "0.1.0"

# Errors and tapes name the user's lines: those of this folder are passed over.
_C._set_lines(_os.path.dirname(_os.path.abspath(__file__)) + _os.sep, _lines.place)

# A tensor's op is the method of the same name; that Python's own names are among these is as in
# PyTorch (tg.sum, tg.float).
__all__ = [
    "Compiled", "Dim", "Graph", "Node", "OutOfMemoryError", "OutOfRangeError", "Program",
    "Session", "Size", "Tensor", "abs", "add",
    "allocator", "amax", "arange", "argmax", "as_tensor", "assign", "autograd", "bool", "cat",
    "clamp", "clone", "compile", "constant", "cpu_level", "cuda", "detach", "device",
    "difference", "div", "double", "dtype", "empty", "empty_like", "enable_grad", "eq", "exp",
    "flatten", "float", "float32", "float64", "from_numpy", "full", "full_like", "gather", "ge",
    "get_default_dtype", "get_num_threads", "gradients", "gt", "int", "int8", "int32", "int64",
    "is_floating_point", "is_grad_enabled", "is_tensor", "le", "lockstep", "log", "log_softmax",
    "logical_not", "long", "lt", "manual_seed", "matmul", "max", "maximum", "mean", "minimum",
    "mul", "ne", "neg", "nn", "no_grad", "node_count", "nodes_made", "numel", "one_hot", "ones",
    "ones_like", "ops_run", "optim", "parse_program", "passes", "permute", "placeholder", "pow",
    "rand", "rand_like", "randn", "randn_like", "relu", "reshape", "scatter_add", "select",
    "set_cpu_level", "set_default_dtype", "set_grad_enabled", "set_num_threads", "sign",
    "softmax", "sqrt", "squeeze", "stack", "sub", "sum", "t", "tanh", "tape_svg", "tape_text",
    "tensor", "transpose", "uint8", "unsqueeze", "where", "zeros", "zeros_like",
]  # fmt: skip


def is_tensor(thing: object) -> "_C.bool_":
    """Is it a Tensor?"""
    return isinstance(thing, Tensor)
