"""Jacobians, Hessians, and products with them, of a function of tensors.

Letters: inputs x of n elements, outputs y of m elements, J = dy/dx (m, n).

    vjp       v' J      one backward
    jvp       J v       two: v' J is linear in v, and its derivative with respect to v is J'
    jacobian  J         m backwards, one for each row
    hessian   the jacobian of the gradient
    vhp, hvp  v' H, H v: a vjp, or a jvp, of the gradient

func takes the inputs as its arguments, and gives a tensor or a tuple of them; what stands for a
tuple of one is the tensor itself. Inputs need not require a gradient: func is called with tensors
of their values, so what was computed before func is not part of the derivative, unless
create_graph is set. With strict an output that does not depend on an input raises RuntimeError;
else its derivative is zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable, Union

from .. import _C
from .._C import Tensor
from .._errors import placed
from .modes import enable_grad

Tensors = Union[Tensor, tuple[Tensor, ...]]
Function = Callable[..., Any]


def _tuple_of(given: Any, name: str, what: str) -> tuple[tuple[Tensor, ...], bool]:
    """The tensors, and whether they came as a tuple."""
    several = isinstance(given, (tuple, list))
    values = tuple(given) if several else (given,)
    for i, value in enumerate(values):
        if not isinstance(value, Tensor):
            where = f"{what}[{i}]" if several else what
            raise placed(TypeError, f"{name}: {where} must be a tensor, not {type(value).__name__}")
    return values, several


def _start(inputs: tuple[Tensor, ...], create_graph: bool, name: str) -> tuple[Tensor, ...]:
    """Tensors of the inputs' values to differentiate by; with create_graph on the inputs' tape."""
    made = []
    for i, x in enumerate(inputs):
        if not x.is_floating_point():
            raise placed(
                RuntimeError,
                f"{name}: inputs[{i}] is {x.dtype}, and only floating tensors have derivatives",
            )
        if create_graph and x.requires_grad:
            made.append(x.clone())
        else:
            # A symbol's view cannot be a leaf: its values get a storage of their own.
            own = x.detach().clone() if x.is_symbolic else x.detach()
            made.append(own.requires_grad_())
    return tuple(made)


def _called(
    func: Function, inputs: tuple[Tensor, ...], name: str
) -> tuple[tuple[Tensor, ...], bool]:
    return _tuple_of(func(*inputs), name, "what func returned")


def _check_depends(outputs: tuple[Tensor, ...], strict: bool, name: str, what: str) -> None:
    for i, y in enumerate(outputs):
        if strict and not y.requires_grad:
            raise placed(
                RuntimeError,
                f"{name}: {what} {i} of shape {tuple(y.shape)} does not depend on any input; "
                f"strict=False takes its derivative for zeros",
            )


def _grad(
    outputs: tuple[Tensor, ...],
    inputs: tuple[Tensor, ...],
    grad_outputs: tuple[Tensor | None, ...],
    create_graph: bool,
) -> tuple[Tensor | None, ...]:
    """Like autograd.grad, where outputs may have no gradient at all; the tape is kept."""
    pairs = [(y, g) for y, g in zip(outputs, grad_outputs) if y.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    ys, gs = zip(*pairs)
    return _C._grad(list(ys), list(inputs), list(gs), True, create_graph, True)


def _filled(
    gradients: tuple[Tensor | None, ...],
    inputs: tuple[Tensor, ...],
    strict: bool,
    create_graph: bool,
    name: str,
) -> tuple[Tensor, ...]:
    """The gradients, with zeros for what is absent: an error if strict."""
    for i, g in enumerate(gradients):
        if strict and g is None:
            raise placed(
                RuntimeError,
                f"{name}: the output does not depend on input {i}; strict=False takes the "
                f"derivative for zeros",
            )
        if strict and create_graph and not g.requires_grad:  # type: ignore[union-attr]
            raise placed(
                RuntimeError,
                f"{name}: the derivative with respect to input {i} does not depend on the inputs, "
                f"so create_graph has nothing to record; strict=False allows that",
            )
    return tuple(_C.zeros_like(x) if g is None else g for g, x in zip(gradients, inputs))


def _vectors(
    v: Any, like: tuple[Tensor, ...], several: bool, name: str, what: str
) -> tuple[Tensor, ...]:
    """v, checked against the tensors whose shapes it has; ones for a single number."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            shapes = ", ".join(str(tuple(x.shape)) for x in like)
            raise placed(
                RuntimeError,
                f"{name}: v may only be left out where {what} is a single number, not {shapes}",
            )
        return (_C.ones_like(like[0]),)
    given, v_several = _tuple_of(v, name, "v")
    if len(given) != len(like) or (v_several and not several and len(given) != 1):
        raise placed(
            RuntimeError, f"{name}: v has {len(given)} tensors, but {what} has {len(like)}"
        )
    for i, (a, b) in enumerate(zip(given, like)):
        if a.shape != b.shape:
            raise placed(
                RuntimeError,
                f"{name}: v[{i}] has shape {tuple(a.shape)}, but {what} {i} has shape "
                f"{tuple(b.shape)}",
            )
    return given


def _end(tensors: tuple[Tensor, ...], several: bool, create_graph: bool) -> Tensors:
    """As the user gave them: one or a tuple, on the tape or off it."""
    kept = tensors if create_graph else tuple(t.detach() for t in tensors)
    return kept if several else kept[0]


# ---- products -----------------------------------------------------------------------------------


def vjp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensors, Tensors]:
    """(func(*inputs), v' J): v has the shapes of the outputs, and the product those of inputs.

    v may be left out where func gives a single number.
    """
    with enable_grad():
        given, several = _tuple_of(inputs, "vjp", "inputs")
        x = _start(given, create_graph, "vjp")
        y, y_several = _called(func, x, "vjp")
        _check_depends(y, strict, "vjp", "output")
        vs = _vectors(v, y, y_several, "vjp", "output")
        found = _times_jacobian(y, x, vs, strict, create_graph, "vjp")
    return _end(y, y_several, create_graph), _end(found, several, create_graph)


def jvp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensors, Tensors]:
    """(func(*inputs), J v): v has the shapes of inputs, and the product those of the outputs.

    By two backwards. v may be left out where the input is a single number.
    """
    with enable_grad():
        given, several = _tuple_of(inputs, "jvp", "inputs")
        vs = _vectors(v, given, several, "jvp", "input")
        x = _start(given, create_graph, "jvp")
        y, y_several = _called(func, x, "jvp")
        _check_depends(y, strict, "jvp", "output")
        product = _jacobian_times(y, x, vs, strict, create_graph, "jvp")
    return _end(y, y_several, create_graph), _end(product, y_several, create_graph)


def _times_jacobian(
    y: tuple[Tensor, ...],
    x: tuple[Tensor, ...],
    vs: tuple[Tensor, ...],
    strict: bool,
    create_graph: bool,
    name: str,
) -> tuple[Tensor, ...]:
    """v' J, one backward."""
    return _filled(_grad(y, x, vs, create_graph), x, strict, create_graph, name)


def _jacobian_times(
    y: tuple[Tensor, ...],
    x: tuple[Tensor, ...],
    vs: tuple[Tensor, ...],
    strict: bool,
    create_graph: bool,
    name: str,
) -> tuple[Tensor, ...]:
    """J v: the derivative of u' J with respect to u, times v. u may be anything; zeros here."""
    u = tuple(_C.zeros_like(t).detach().requires_grad_() for t in y)
    rows = _grad(y, x, u, True)
    there = [(r, w) for r, w in zip(rows, vs) if r is not None]
    if strict and len(there) < len(rows):
        _filled(rows, x, True, False, name)
    if not there:
        return tuple(_C.zeros_like(t) for t in y)
    rs, ws = zip(*there)
    return _filled(_grad(rs, u, ws, create_graph), y, strict, create_graph, name)


# ---- matrices -----------------------------------------------------------------------------------


def _refuse(name: str, vectorize: bool, strategy: str) -> None:
    if vectorize:
        raise NotImplementedError(
            f"{name}: vectorize=True is not offered, the rows are computed one by one; "
            "tg.func.jacrev and tg.func.hessian compute them at once"
        )
    if strategy != "reverse-mode":
        raise NotImplementedError(
            f"{name}: the strategy is 'reverse-mode', not {strategy!r}: there is no forward mode"
        )


def _rows(
    y: Tensor, x: tuple[Tensor, ...], number: int, strict: bool, create_graph: bool
) -> tuple[Tensor, ...]:
    """dy/dx for each x, of y's shape and x's after it."""
    if not y.requires_grad or y.numel() == 0:
        return tuple(_C.zeros((*y.shape, *t.shape), dtype=t.dtype, device=t.device) for t in x)
    rows: list[list[Tensor]] = [[] for _ in x]
    for one in unit_vectors(y):
        name = f"jacobian: output {number}"
        gradients = _filled(_grad((y,), x, (one,), create_graph), x, strict, create_graph, name)
        for column, g in zip(rows, gradients):
            column.append(g)
    return tuple(_C.stack(column).reshape((*y.shape, *t.shape)) for column, t in zip(rows, x))


def unit_vectors(y: Tensor) -> Iterator[Tensor]:
    """For each element of y a tensor like y that is 1 there, and 0 elsewhere."""
    places = _C.arange(y.numel(), device=y.device).reshape(y.shape)
    zero = _C.zeros(y.shape, dtype=y.dtype, device=y.device)
    for k in range(y.numel()):
        yield _C.where(places == k, 1.0, zero)


def jacobian(
    func: Function,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """dy/dx: of the output's shape followed by the input's.

    With several inputs a tuple, by input; with several outputs a tuple of these, by output.
    """
    _refuse("jacobian", vectorize, strategy)
    with enable_grad():
        given, several = _tuple_of(inputs, "jacobian", "inputs")
        x = _start(given, create_graph, "jacobian")
        y, y_several = _called(func, x, "jacobian")
        _check_depends(y, strict, "jacobian", "output")
        found = []
        for i, t in enumerate(y):
            found.append(_end(_rows(t, x, i, strict, create_graph), several, create_graph))
    return tuple(found) if y_several else found[0]


def _single(
    func: Function, x: tuple[Tensor, ...], strict: bool, name: str
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """A function's one number, and its gradient, on the tape."""
    y, several = _called(func, x, name)
    if several or y[0].numel() != 1:
        shapes = ", ".join(str(tuple(t.shape)) for t in y)
        raise placed(RuntimeError, f"{name}: func must return a single number, not {shapes}")
    _check_depends(y, strict, name, "output")
    gradients = _grad(y, x, (_C.ones_like(y[0]),), True)
    return y[0], _filled(gradients, x, strict, strict, name)


def hessian(
    func: Function,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a single number: of input i's shape followed by input j's.

    With several inputs a tuple of tuples, by i and j.
    """
    _refuse("hessian", vectorize, outer_jacobian_strategy)
    _, several = _tuple_of(inputs, "hessian", "inputs")

    def gradient(*x: Tensor) -> Any:
        found = _single(func, x, strict, "hessian")[1]
        return found if several else found[0]

    return jacobian(gradient, inputs, create_graph, strict)


def vhp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensors]:
    """(func(*inputs), v' H) of a single number: v and the product have the shapes of inputs."""
    return _product_with_hessian(_times_jacobian, func, inputs, v, create_graph, strict, "vhp")


def hvp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensors]:
    """(func(*inputs), H v) of a single number; vhp is cheaper, and equal where H is symmetric."""
    return _product_with_hessian(_jacobian_times, func, inputs, v, create_graph, strict, "hvp")


def _product_with_hessian(
    product: Callable[..., tuple[Tensor, ...]],
    func: Function,
    inputs: Tensors,
    v: Tensors | None,
    create_graph: bool,
    strict: bool,
    name: str,
) -> tuple[Tensor, Tensors]:
    """H is the Jacobian of the gradient: product is v' J or J v."""
    with enable_grad():
        given, several = _tuple_of(inputs, name, "inputs")
        vs = _vectors(v, given, several, name, "input")
        x = _start(given, create_graph, name)
        y, gradient = _single(func, x, strict, name)
        found = product(gradient, x, vs, strict, create_graph, name)
    return y if create_graph else y.detach(), _end(found, several, create_graph)
