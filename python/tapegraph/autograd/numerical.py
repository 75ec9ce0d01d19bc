"""gradcheck: are the gradients those that differences give?

    numerical   (f(x + eps e_j) - f(x - eps e_j)) / (2 eps), for each element j of each input
    analytical  a backward from each element i of each output

Both fill the Jacobian dy_i / dx_j; they must agree to atol + rtol |numerical|. The difference's own
error is about eps^2 + u / eps, u the rounding of the dtype: with eps = 1e-6 some 1e-10 in float64,
and 0.1 in float32. So: float64.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

from .. import _C
from .._C import Tensor
from .._errors import placed
from .functional import unit_vectors
from .modes import enable_grad, no_grad

Function = Callable[..., Any]
Inputs = Any


class GradcheckError(RuntimeError):
    """What gradcheck raises where the gradients do not agree with differences."""


class _Tolerance(NamedTuple):
    eps: float
    atol: float
    rtol: float
    nondet: float


class _Checked(NamedTuple):
    """An input that is differentiated: its number among the arguments, and the tensor."""

    number: int
    tensor: Tensor


def _inputs_of(inputs: Inputs, name: str) -> tuple[tuple[Any, ...], list[_Checked]]:
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = []
    for i, x in enumerate(given):
        if not (isinstance(x, Tensor) and x.requires_grad):
            continue
        if x.is_symbolic:
            raise placed(
                RuntimeError,
                f"{name}: input {i} is symbolic: differences need numbers; call it outside of the "
                f"graph or the compiled function",
            )
        if x.dtype != _C.float64:
            warnings.warn(
                f"{name}: input {i} is {x.dtype}, in which differences are too rough to compare "
                f"with; use float64",
                stacklevel=3,
            )
        checked.append(_Checked(i, x))
    if not checked:
        raise placed(
            ValueError, f"{name}: no input requires a gradient; set requires_grad=True on one"
        )
    return given, checked


def _outputs_of(result: Any, name: str) -> list[Tensor]:
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    for i, y in enumerate(outputs):
        if not isinstance(y, Tensor):
            what = f"output {i}" if len(outputs) > 1 else "the output"
            raise placed(ValueError, f"{name}: {what} of func is {type(y).__name__}, not a tensor")
    return outputs


def _differentiable(outputs: Sequence[Tensor]) -> list[int]:
    return [i for i, y in enumerate(outputs) if y.requires_grad]


def _places(shape: Sequence[int]) -> list[tuple[int, ...]]:
    return list(itertools.product(*(range(n) for n in shape)))


# ---- the two Jacobians --------------------------------------------------------------------------
# Each is a list by input's element of lists by output's element: column[j][i] = dy_i / dx_j.


def _flat(tensor: Tensor) -> list[float]:
    return tensor.detach().reshape(-1).tolist()


def _numerical(
    func: Function, given: tuple[Any, ...], x: Tensor, outputs: list[int], eps: float, name: str
) -> list[list[list[float]]]:
    """By output: the columns. x is changed in place, so that func may also name it itself."""

    def values_at(place: tuple[int, ...], value: float) -> list[list[float]]:
        with no_grad():
            x.detach()[place] = value
        results = _outputs_of(func(*given), name)
        return [_flat(results[k]) for k in outputs]

    columns: list[list[list[float]]] = [[] for _ in outputs]
    for place in _places(x.shape):
        before = x.detach()[place].item()
        try:
            above = values_at(place, before + eps)
            below = values_at(place, before - eps)
        finally:
            with no_grad():
                x.detach()[place] = before
        for column, a, b in zip(columns, above, below):
            column.append([(p - q) / (2 * eps) for p, q in zip(a, b)])
    return columns


def _analytical(y: Tensor, checked: list[_Checked]) -> list[list[list[float]]]:
    """By input: the columns, from one backward for each element of y."""
    columns: list[list[list[float]]] = [[[] for _ in range(x.tensor.numel())] for x in checked]
    tensors = [x.tensor for x in checked]
    for one in unit_vectors(y):
        for column, g in zip(columns, _C._grad([y], tensors, [one], True, False, True)):
            row = [0.0] * len(column) if g is None else _flat(g)
            for j, value in enumerate(row):
                column[j].append(value)
    return columns


def _close(a: float, b: float, atol: float, rtol: float) -> bool:
    if a == b or (a != a and b != b):
        return True
    return abs(a - b) <= atol + rtol * abs(b)


# ---- what is wrong, in words --------------------------------------------------------------------


def _place_text(shape: Sequence[int], flat: int) -> str:
    return str(list(_places(shape)[flat])) if len(shape) else ""


def _made_by(y: Tensor) -> str:
    node = y.grad_fn
    return f" ({node.name()}, {node.line})" if node is not None else ""


def _misfit(
    name: str,
    y: Tensor,
    number: int,
    x: _Checked,
    numerical: list[list[float]],
    analytical: list[list[float]],
    tolerance: _Tolerance,
) -> str:
    """The first and worst element that differs, or nothing."""
    wrong = [
        (j, i)
        for j, column in enumerate(numerical)
        for i, value in enumerate(column)
        if not _close(analytical[j][i], value, tolerance.atol, tolerance.rtol)
    ]
    if not wrong:
        return ""
    j, i = wrong[0]
    n, a = numerical[j][i], analytical[j][i]
    total = len(numerical) * y.numel()
    advice = ""
    if _C.float32 in (x.tensor.dtype, y.dtype):
        advice = "; differences in float32 are rough: use float64"
    shape = f"{x.tensor.dtype} {tuple(x.tensor.shape)}".replace("tapegraph.", "")
    return (
        f"{name}: output {number}{_made_by(y)}, input {x.number} ({shape}): "
        f"d output{_place_text(y.shape, i)} / d input{_place_text(x.tensor.shape, j)} is {n:.9g} "
        f"by differences (numerical) and {a:.9g} by backward (analytical), which differ by "
        f"{abs(n - a):.3g}, more than atol {tolerance.atol:g} + rtol {tolerance.rtol:g} * "
        f"{abs(n):.3g}; {len(wrong)} of {total} numbers do{advice}"
    )


def _check_again(
    name: str, y: Tensor, number: int, checked: list[_Checked], first: Any, tolerance: float
) -> None:
    """A second backward must give what the first gave, to nondet_tol."""
    for x, a, b in zip(checked, first, _analytical(y, checked)):
        for j, (one, two) in enumerate(zip(a, b)):
            for i, (p, q) in enumerate(zip(one, two)):
                if not _close(p, q, tolerance, 0.0):
                    raise placed(
                        GradcheckError,
                        f"{name}: backward is not repeatable: output {number}{_made_by(y)}, input "
                        f"{x.number}: d output{_place_text(y.shape, i)} / d input"
                        f"{_place_text(x.tensor.shape, j)} was {p:.9g} and then {q:.9g}, which "
                        f"differ by more than nondet_tol {tolerance:g}",
                    )


def _check_dtypes(name: str, y: Tensor, checked: list[_Checked]) -> None:
    ones = _C.ones_like(y)
    gradients = _C._grad([y], [x.tensor for x in checked], [ones], True, False, True)
    for x, g in zip(checked, gradients):
        if g is not None and (g.dtype != x.tensor.dtype or g.device != x.tensor.device):
            raise placed(
                GradcheckError,
                f"{name}: the gradient of input {x.number} is {g.dtype} on {g.device}, but the "
                f"input is {x.tensor.dtype} on {x.tensor.device}",
            )


def _check(func: Function, inputs: Inputs, tolerance: _Tolerance, dtypes: bool, name: str) -> None:
    given, checked = _inputs_of(inputs, name)
    outputs = _outputs_of(func(*given), name)
    numbers = _differentiable(outputs)
    # What has no gradient must not depend on the inputs: then its differences are zeros.
    fixed = [i for i, y in enumerate(outputs) if i not in numbers and y.is_floating_point()]
    by_input = [
        _numerical(func, given, x.tensor, numbers + fixed, tolerance.eps, name) for x in checked
    ]
    outputs = _outputs_of(func(*given), name)  # the first tape's inputs were written since
    for place, k in enumerate(numbers):
        y = outputs[k]
        if not y.numel():
            continue
        analytical = _analytical(y, checked)
        for x, columns, found in zip(checked, by_input, analytical):
            text = _misfit(name, y, k, x, columns[place], found, tolerance)
            if text:
                raise GradcheckError(text)
        _check_again(name, y, k, checked, analytical, tolerance.nondet)
        if dtypes:
            _check_dtypes(name, y, checked)
    for place, k in enumerate(fixed, len(numbers)):
        zeros = [[0.0] * outputs[k].numel()]
        for x, columns in zip(checked, by_input):
            none = zeros * x.tensor.numel()
            text = _misfit(name, outputs[k], k, x, columns[place], none, tolerance)
            if text:
                raise placed(GradcheckError, f"{text}; the output has no gradient at all")


def _refuse(name: str, **options: bool) -> None:
    for option, given in options.items():
        if given:
            raise NotImplementedError(
                f"{name}: {option}=True is not offered: there is no forward mode, no vmap, and the "
                f"whole Jacobian is always compared"
            )


# ---- what users call ----------------------------------------------------------------------------


def gradcheck(
    func: Function,
    inputs: Inputs,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
) -> bool:
    """Compares the gradients of func(*inputs) with central differences of width 2 eps.

    inputs is a tensor or a tuple; those that require a gradient are checked, and should be float64.
    func gives a tensor or a tuple of them. True if all agree to atol + rtol |numerical|; else
    GradcheckError, or False without raise_exception. check_undefined_grad also has func's backward
    called with the gradient of only one output at a time, which is how every check is made here.
    """
    _refuse(
        "gradcheck",
        check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad,
        check_forward_ad=check_forward_ad,
        fast_mode=fast_mode,
    )
    tolerance = _Tolerance(eps, atol, rtol, nondet_tol)
    try:
        with enable_grad():
            if check_backward_ad:
                _check(func, inputs, tolerance, check_grad_dtypes, "gradcheck")
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Function,
    inputs: Inputs,
    grad_outputs: Inputs = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
) -> bool:
    """gradcheck of func's gradients, as a function of inputs and of the gradients they start from.

    grad_outputs are these, one for each output that has a gradient; random if left out, and with
    gen_non_contig_grad_outputs not contiguous.
    """
    name = "gradgradcheck"
    _refuse(
        name,
        check_batched_grad=check_batched_grad,
        check_fwd_over_rev=check_fwd_over_rev,
        fast_mode=fast_mode,
    )
    if not check_rev_over_rev:
        return True
    with enable_grad():
        given, checked = _inputs_of(inputs, name)
        outputs = _outputs_of(func(*given), name)
        numbers = _differentiable(outputs)
        if grad_outputs is None:
            seeds = [_random_like(outputs[k], gen_non_contig_grad_outputs) for k in numbers]
        else:
            seeds = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
        if len(seeds) != len(numbers):
            raise placed(
                ValueError,
                f"{name}: {len(numbers)} outputs have a gradient, but grad_outputs has "
                f"{len(seeds)}",
            )
    count = len(given)

    def gradients(*everything: Any) -> tuple[Tensor, ...]:
        arguments, starts = everything[:count], everything[count:]
        results = _outputs_of(func(*arguments), name)
        wanted = [arguments[x.number] for x in checked]
        found = _C._grad([results[k] for k in numbers], wanted, list(starts), True, True, True)
        return tuple(g for g in found if g is not None)

    tolerance = _Tolerance(eps, atol, rtol, nondet_tol)
    try:
        with enable_grad():
            _check(gradients, (*given, *seeds), tolerance, check_grad_dtypes, name)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _random_like(y: Tensor, strided: bool) -> Tensor:
    if strided and y.ndim:
        made = _C.randn((*y.shape, 2), dtype=y.dtype, device=y.device).select(-1, 0)
    else:
        made = _C.randn(y.shape, dtype=y.dtype, device=y.device)
    return made.detach().requires_grad_()
