"""vmap: a function of one example becomes one of many, by the batching rule of each of its ops."""

from __future__ import annotations

import functools
from typing import Any, Callable

from .. import _C
from .._C import Tensor
from . import trees

Dims = Any  # an int, None, or a nest of them


def vmap(
    func: Callable[..., Any],
    in_dims: Dims = 0,
    out_dims: Dims = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that calls func on every example of its arguments, all at once.

        dots = tg.vmap(tg.dot)(xs, ys)           # (100, 3), (100, 3) -> (100,)

    func is called once, on symbols of one example's shape, and written down; then each line is
    applied to all examples by its op's batching rule: a product of matrices becomes one batched
    product. What an `if` or .item() would ask of one example is not known: use tg.where.

    in_dims: which dim of each argument the examples are; None where it is the same for all; a nest
    for nested arguments. Keyword arguments are the same for all. out_dims: where the examples go
    in the results; None for a result that is the same for all. randomness: "error"; "same", one
    lot of random numbers; "different", a lot for each example. chunk_size: at most so many examples
    at once.

    Raises ValueError where in_dims or out_dims do not fit or the numbers of examples differ;
    RuntimeError where func writes a tensor from outside, or draws random numbers unasked.
    """
    if randomness not in ("error", "same", "different"):
        raise RuntimeError(
            f"vmap: randomness is 'error', 'same' or 'different', not {randomness!r}"
        )
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: chunk_size is at least 1, not {chunk_size}")

    @functools.wraps(func, updated=())
    def vmapped(*args: Any, **kwargs: Any) -> Any:
        given, dims, size = _arguments(args, in_dims)
        call = functools.partial(_run, func, args, kwargs, out_dims, randomness, dims)
        if chunk_size is None or chunk_size >= size:
            return call(given, size)
        results = []
        for begin in range(0, size, chunk_size):
            count = min(chunk_size, size - begin)
            part = [x if d is None else x.narrow(0, begin, count) for x, d in zip(given, dims)]
            results.append(call(part, count))
        return _joined(results, out_dims)

    return vmapped


# ---- in -----------------------------------------------------------------------------------------


def _arguments(args: tuple[Any, ...], in_dims: Dims) -> tuple[list[Any], list[Any], int]:
    """The leaves of args, the examples their dim 0; in_dims by leaf; and how many examples."""
    if not args:
        raise ValueError("vmap: the function was called without a tensor to map over")
    if not isinstance(in_dims, (int, tuple, list)) or isinstance(in_dims, bool):
        raise ValueError(
            f"vmap: in_dims is an int, or a nest of ints and None like the arguments, not "
            f"{in_dims!r}"
        )
    dims = trees.spread(in_dims if isinstance(in_dims, int) else tuple(in_dims), args)
    if dims is None:
        raise ValueError(f"vmap: in_dims {in_dims!r} is not a nest like the {len(args)} arguments")
    given = []
    sizes: dict[int, int] = {}
    for i, (x, dim) in enumerate(zip(trees.leaves(args), dims)):
        if dim is None:
            given.append(x)
            continue
        given.append(_in_front(x, dim, i))
        sizes[i] = given[-1].shape[0]
    if not sizes:
        raise ValueError("vmap: in_dims has no dim to map over: all are None")
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{n} in argument {i}" for i, n in sizes.items())
        raise ValueError(f"vmap: the numbers of examples differ: {said}")
    return given, dims, next(iter(sizes.values()))


def _in_front(x: Any, dim: Any, i: int) -> Tensor:
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise ValueError(f"vmap: in_dims has {dim!r}, which is neither an int nor None")
    if not isinstance(x, Tensor):
        raise ValueError(
            f"vmap: in_dims has {dim} for argument {i}, which is no tensor but "
            f"{type(x).__name__}; say None there"
        )
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(
            f"vmap: in_dims has {dim} for argument {i}, a tensor of shape {tuple(x.shape)}"
        )
    return x if dim == 0 else x.movedim(dim, 0)


# ---- the call -----------------------------------------------------------------------------------


def _run(
    func: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    out_dims: Dims,
    randomness: str,
    dims: list[Any],
    given: list[Any],
    size: int,
) -> Any:
    places = [i for i, x in enumerate(given) if isinstance(x, Tensor) and dims[i] is not None]
    result: list[Any] = []

    def on_one(tensors: list[Tensor]) -> list[Tensor]:
        inside = list(given)
        for i, x in zip(places, tensors):
            inside[i] = x
        result.append(func(*trees.filled(args, inside), **kwargs))
        for y in trees.leaves(result[-1]):
            if not isinstance(y, Tensor):
                raise ValueError(f"vmap: the function must return tensors, not {type(y).__name__}")
        return trees.leaves(result[-1])

    name = f"vmap of {getattr(func, '__name__', type(func).__name__)}"
    outputs, same = _C._vmap(
        on_one, [given[i] for i in places], [True] * len(places), name, randomness
    )
    to = trees.spread(out_dims, result[-1])
    if to is None:
        raise ValueError(f"vmap: out_dims {out_dims!r} is not a nest like what was returned")
    placed = [_placed(y, all_same, dim, size) for y, all_same, dim in zip(outputs, same, to)]
    return trees.filled(result[-1], placed)


def _placed(y: Tensor, same: bool, dim: Any, size: int) -> Tensor:
    """A result with the examples where out_dims says."""
    if dim is None:
        if not same:
            raise ValueError(
                "vmap: out_dims has None for a result that differs from example to example; give "
                "it a dim"
            )
        return y
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise ValueError(f"vmap: out_dims has {dim!r}, which is neither an int nor None")
    if same:
        y = y.expand(size, *y.shape)
    if not -y.ndim <= dim < y.ndim:
        raise IndexError(f"vmap: out_dims has {dim} for a result of shape {tuple(y.shape[1:])}")
    return y if dim == 0 else y.movedim(0, dim)


def _joined(results: list[Any], out_dims: Dims) -> Any:
    to = trees.spread(out_dims, results[0]) or []
    columns = zip(*(trees.leaves(result) for result in results))
    parts = [
        column[0] if dim is None else _C.cat(list(column), dim) for column, dim in zip(columns, to)
    ]
    return trees.filled(results[0], parts)
