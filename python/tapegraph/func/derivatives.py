"""Derivatives of functions: each is a function again, so that they nest.

    grad(f)(x)       the gradient at x: one backward
    vjp, jvp         v' J, and J v by two backwards, for v' J is linear in v
    jacrev, jacfwd   all of J: a vjp for each output, or a jvp for each input, under vmap
    hessian          jacfwd(jacrev(f))

The argument is taken as a new leaf, or, where it hangs on a tape itself, as a copy that hangs there
too; so an outer derivative sees through an inner one.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Union

from .. import _C
from .._C import Tensor
from ..autograd.modes import enable_grad
from . import trees
from .vmap import vmap

Argnums = Union[int, tuple[int, ...]]


def grad(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradients of func, which returns one number, by its arguments.

        second = tg.func.grad(tg.func.grad(lambda x: (x ** 3).sum()))

    argnums: by which arguments, an int or a tuple; each may be a nest of tensors. With has_aux func
    returns (number, anything), and the gradient comes with that. Raises RuntimeError if func
    returns no single number or an argument is not floating, IndexError if argnums is too large.
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        gradients, value = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradient


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As grad, but the function gives (gradients, value), or (gradients, (value, aux))."""

    @functools.wraps(func, updated=())
    def gradient_and_value(*args: Any, **kwargs: Any) -> Any:
        wanted = _picked(args, argnums, "grad")
        with enable_grad():
            starts = _starts(wanted, "grad")
            value = func(*_replaced(args, argnums, starts), **kwargs)
            value, aux = _split(value, has_aux, "grad")
            if not isinstance(value, Tensor) or value.ndim != 0:
                shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise RuntimeError(
                    f"grad: the function must return a tensor of no dims, not {shape}; sum() it, "
                    f"or use vjp or jacrev"
                )
            found = _gradients([value], trees.leaves(starts), [None])
        gradients, value = _ended([found, [value]], trees.leaves(starts))
        nest = trees.filled(starts, gradients)
        return nest, ((value[0], aux) if has_aux else value[0])

    return gradient_and_value


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(func(*primals), f) where f of cotangents, a nest like the result, is the tuple v' J.

    With has_aux func returns (result, anything), and that comes third. f may be called more than
    once, and under vmap, which calls func again.
    """
    with enable_grad():
        starts = _starts(primals, "vjp")
        output, aux = _split(func(*starts), has_aux, "vjp")
    made_in = _C._recording()

    def product(*cotangents: Any) -> Any:
        one = len(cotangents) == 1 and not (isinstance(output, tuple) and len(output) == 1)
        nest = cotangents[0] if one else cotangents
        vs = _like(nest, output, "vjp")
        with enable_grad():
            at, ys = starts, output
            if _C._recording() != made_in:
                at = _starts(primals, "vjp")
                ys, _ = _split(func(*at), has_aux, "vjp")
            found = _gradients(trees.leaves(ys), trees.leaves(at), vs)
        (found,) = _ended([found], trees.leaves(at))
        gradients = trees.filled(at, found)
        return gradients if len(primals) > 1 else (gradients[0],)

    (shown,) = _ended([trees.leaves(output)], trees.leaves(starts))
    result = trees.filled(output, shown)
    return (result, product, aux) if has_aux else (result, product)


def jvp(
    func: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """(func(*primals), J v) for tangents v, a tuple of nests like primals.

    Raises RuntimeError where tangents do not fit; with strict, where the result does not depend on
    the primals.
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp: primals and tangents are tuples, one part for each argument")
    vs = _like(tangents, primals, "jvp")
    with enable_grad():
        starts = _starts(primals, "jvp")
        output, aux = _split(func(*starts), has_aux, "jvp")
        ys, xs = trees.leaves(output), trees.leaves(starts)
        if strict and not all(y.requires_grad for y in ys):
            raise RuntimeError("jvp: a result does not depend on the primals")
        # u' J is linear in u, and its derivative by u in the direction v is J v.
        us = [_C.zeros_like(y).requires_grad_() for y in ys]
        rows = _gradients(ys, xs, us)
        found = _gradients(rows, us, vs)
    shown, found = _ended([ys, found], [*xs, *us])
    result, product = trees.filled(output, shown), trees.filled(output, found)
    return (result, product, aux) if has_aux else (result, product)


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of func, by a vjp for each number of its result.

    For a result y and an argument x it has the shape y.shape + x.shape; nests of results hold nests
    of arguments. chunk_size: as in vmap.
    """

    @functools.wraps(func, updated=())
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        wanted = _picked(args, argnums, "jacrev")
        aux: list[Any] = []

        def at(*inputs: Any) -> Any:
            given = inputs[0] if isinstance(argnums, int) else inputs
            result = func(*_replaced(args, argnums, given), **kwargs)
            result, extra = _split(result, has_aux, "jacrev")
            aux.append(extra)
            return result

        primals = (wanted,) if isinstance(argnums, int) else wanted
        output, product = vjp(at, *primals)
        ys = trees.leaves(output)

        def rows(y: Tensor, place: int) -> Any:
            def of_one(v: Tensor) -> Any:
                vs = [v if k == place else _C.zeros_like(z) for k, z in enumerate(ys)]
                found = product(trees.filled(output, vs))
                return found[0] if isinstance(argnums, int) else found

            basis = _C.eye(y.numel(), dtype=y.dtype, device=y.device).reshape(y.numel(), *y.shape)
            found = vmap(of_one, chunk_size=chunk_size)(basis)
            return trees.mapped(lambda g: g.reshape(*y.shape, *g.shape[1:]), found)

        result = trees.filled(output, [rows(y, k) for k, y in enumerate(ys)])
        return (result, aux[0]) if has_aux else result

    return jacobian


def jacfwd(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of func, by a jvp for each number of its argument.

    Shapes as jacrev's; it is the cheaper one where a few numbers give many.
    """

    @functools.wraps(func, updated=())
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        wanted = _picked(args, argnums, "jacfwd")
        primals = (wanted,) if isinstance(argnums, int) else wanted
        xs = trees.leaves(primals)
        aux: list[Any] = []

        def at(*inputs: Any) -> Any:
            given = inputs[0] if isinstance(argnums, int) else inputs
            result = func(*_replaced(args, argnums, given), **kwargs)
            result, extra = _split(result, has_aux, "jacfwd")
            aux.append(extra)
            return result

        columns = []
        for place, x in enumerate(xs):

            def of_one(v: Tensor, place: int = place) -> Any:
                vs = [v if k == place else _C.zeros_like(z) for k, z in enumerate(xs)]
                return jvp(at, primals, trees.filled(primals, vs))[1]

            basis = _C.eye(x.numel(), dtype=x.dtype, device=x.device).reshape(x.numel(), *x.shape)
            run = vmap(of_one, out_dims=-1, randomness=randomness, chunk_size=chunk_size)
            columns.append((x, run(basis)))
        nest = columns[0][1]

        def joined(i: int) -> Any:
            parts = [
                trees.leaves(found)[i].reshape(*trees.leaves(found)[i].shape[:-1], *x.shape)
                for x, found in columns
            ]
            inputs = trees.filled(primals, parts)
            return inputs[0] if isinstance(argnums, int) else inputs

        result = trees.filled(nest, [joined(i) for i in range(len(trees.leaves(nest)))])
        return (result, aux[0]) if has_aux else result

    return jacobian


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that gives the second derivatives of func: jacfwd(jacrev(func))."""
    return jacfwd(jacrev(func, argnums), argnums)


# ---- what they share ----------------------------------------------------------------------------


def _picked(args: tuple[Any, ...], argnums: Argnums, name: str) -> Any:
    numbers = (argnums,) if isinstance(argnums, int) else argnums
    if not isinstance(numbers, tuple) or not all(type(n) is int for n in numbers):
        raise RuntimeError(f"{name}: argnums is an int or a tuple of ints, not {argnums!r}")
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"{name}: argnums has {n}, and there are {len(args)} arguments")
    if len({n % len(args) for n in numbers}) != len(numbers):
        raise RuntimeError(f"{name}: argnums {argnums!r} names an argument twice")
    return args[argnums] if isinstance(argnums, int) else tuple(args[n] for n in numbers)


def _replaced(args: tuple[Any, ...], argnums: Argnums, values: Any) -> list[Any]:
    inside = list(args)
    if isinstance(argnums, int):
        inside[argnums] = values
    else:
        for n, value in zip(argnums, values):
            inside[n] = value
    return inside


def _split(result: Any, has_aux: bool, name: str) -> tuple[Any, Any]:
    """(result, aux), with the result's tensors checked."""
    aux = None
    if has_aux:
        if not isinstance(result, tuple) or len(result) != 2:
            raise RuntimeError(f"{name}: with has_aux the function returns (result, aux)")
        result, aux = result
    for y in trees.leaves(result):
        if not isinstance(y, Tensor):
            raise RuntimeError(f"{name}: the function must return tensors, not {type(y).__name__}")
    return result, aux


def _starts(nest: Any, name: str) -> Any:
    def start(x: Any) -> Tensor:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{name}: an argument is {type(x).__name__}, not a tensor")
        if not x.is_floating_point():
            raise RuntimeError(
                f"{name}: an argument is {x.dtype}, and only floating tensors have derivatives"
            )
        if x.requires_grad:
            return x.clone()
        own = x.detach().clone() if _C._recording() else x.detach()
        return own.requires_grad_()

    return trees.mapped(start, nest)


def _like(nest: Any, model: Any, name: str) -> list[Tensor]:
    given, wanted = trees.leaves(nest), trees.leaves(model)
    if len(given) != len(wanted):
        raise RuntimeError(f"{name}: {len(given)} vectors were given for {len(wanted)} tensors")
    for v, y in zip(given, wanted):
        if not isinstance(v, Tensor):
            raise RuntimeError(f"{name}: a vector is {type(v).__name__}, not a tensor")
        if v.shape != y.shape:
            raise RuntimeError(
                f"{name}: a vector has shape {tuple(v.shape)}, and its tensor {tuple(y.shape)}"
            )
    return given


def _gradients(
    ys: list[Tensor], xs: list[Tensor], vs: list[Tensor | None] | list[Tensor]
) -> list[Tensor]:
    """sum of v' dy/dx, by x; zeros where nothing depends on it."""
    pairs = [(y, v) for y, v in zip(ys, vs) if y.requires_grad]
    if not pairs:
        return [_C.zeros_like(x) for x in xs]
    outputs, weights = zip(*pairs)
    found = _C._grad(list(outputs), list(xs), list(weights), True, True, True)
    return [_C.zeros_like(x) if g is None else g for g, x in zip(found, xs)]


def _ended(lists: list[list[Tensor]], own: list[Tensor]) -> list[list[Tensor]]:
    """The tensors, off the tape where it leads to none but our own leaves."""
    made = [x for x in own if x.is_leaf]
    return [[t.detach() if _C._ends_at(t, made) else t for t in tensors] for tensors in lists]
