"""tapegraph: one set of operations, two ways to run them.

A tape that is written while Python runs (as in PyTorch), and a graph that is written first and run
later (as in TensorFlow), from the same lines. Names and semantics are PyTorch's.

    import tapegraph as tg
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()       # the tape: w.grad is [2, 4]
    step = tg.compile(lambda x: (x * w).sum())
    step(tg.ones(2))               # the graph: traced once, then run as a program
"""

import warnings as _warnings

from . import (
    _C,
    _lines,
    _tensor,  # noqa: F401  (adds the tensor's methods that are written in Python)
    allocator,
    autograd,
    cuda,
    nn,
    optim,
    utils,
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
    all,
    amax,
    amin,
    any,
    arange,
    argmax,
    argmin,
    as_tensor,
    assign,
    bool,
    cat,
    ceil,
    clamp,
    clone,
    constant,
    cos,
    cpu_level,
    cumsum,
    detach,
    device,
    difference,
    div,
    double,
    dtype,
    empty,
    empty_like,
    eq,
    erf,
    exp,
    expm1,
    flatten,
    float,
    float32,
    float64,
    floor,
    from_numpy,
    full,
    full_like,
    gather,
    ge,
    get_default_dtype,
    get_num_threads,
    get_rng_state,
    gradients,
    gt,
    int,
    int8,
    int32,
    int64,
    is_floating_point,
    is_grad_enabled,
    isfinite,
    isinf,
    isnan,
    le,
    log,
    log1p,
    log_softmax,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    logsumexp,
    long,
    lt,
    manual_seed,
    masked_fill,
    matmul,
    max,
    maximum,
    mean,
    min,
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
    prod,
    rand,
    rand_like,
    randn,
    randn_like,
    reciprocal,
    relu,
    reshape,
    round,
    rsqrt,
    scatter_add,
    select,
    set_cpu_level,
    set_default_dtype,
    set_num_threads,
    set_rng_state,
    sigmoid,
    sign,
    sin,
    softmax,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    sub,
    sum,
    t,
    tanh,
    tape_svg,
    tape_text,
    tensor,
    transpose,
    trunc,
    uint8,
    unsqueeze,
    var,
    where,
    zeros,
    zeros_like,
)
from .autograd import enable_grad, no_grad, set_grad_enabled
from .compiled import Compiled, compile, lockstep
from .serialization import load, save
from .session import Session

__version__ = "0.1.0"

# Errors and tapes name the user's lines: those of this folder are passed over.
_C._set_lines(_lines.kind, _lines.place)

if _C._level_error():
    _warnings.warn(_C._level_error(), stacklevel=2)

# A tensor's op is the method of the same name; that Python's own names are among these is as in
# PyTorch (tg.sum, tg.float).
__all__ = [
    "Compiled", "Dim", "Graph", "Node", "OutOfMemoryError", "OutOfRangeError", "Program",
    "Session", "Size", "Tensor", "abs", "add", "all", "allocator", "amax", "amin", "any",
    "arange", "argmax", "argmin", "as_tensor", "assign", "autograd", "bool", "cat", "ceil",
    "clamp", "clone", "compile", "constant", "cos", "cpu_level", "cuda", "cumsum", "detach",
    "device", "difference", "div", "double", "dtype", "empty", "empty_like", "enable_grad", "eq",
    "erf", "exp", "expm1", "flatten", "float", "float32", "float64", "floor", "from_numpy",
    "full", "full_like", "gather", "ge", "get_default_dtype", "get_num_threads", "get_rng_state",
    "gradients", "gt", "int", "int32", "int64", "int8", "is_floating_point", "is_grad_enabled",
    "is_tensor", "isfinite", "isinf", "isnan", "le", "load", "lockstep", "log", "log1p",
    "log_softmax", "logical_and", "logical_not", "logical_or", "logical_xor", "logsumexp", "long",
    "lt", "manual_seed", "masked_fill", "matmul", "max", "maximum", "mean", "min", "minimum",
    "mul", "ne", "neg", "nn", "no_grad", "node_count", "nodes_made", "numel", "one_hot", "ones",
    "ones_like", "ops_run", "optim", "parse_program", "passes", "permute", "placeholder", "pow",
    "prod", "rand", "rand_like", "randn", "randn_like", "reciprocal", "relu", "reshape", "round",
    "rsqrt", "save", "scatter_add", "select", "set_cpu_level", "set_default_dtype",
    "set_grad_enabled", "set_num_threads", "set_rng_state", "sigmoid", "sign", "sin", "softmax",
    "sqrt", "square", "squeeze", "stack", "std", "sub", "sum", "t", "tanh", "tape_svg",
    "tape_text", "tensor", "transpose", "trunc", "uint8", "unsqueeze", "utils", "var", "where",
    "zeros", "zeros_like",
]  # fmt: skip


def is_tensor(thing: object) -> "_C.bool_":
    """Is it a Tensor?"""
    return isinstance(thing, Tensor)
