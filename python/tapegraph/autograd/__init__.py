"""Gradients: backward, grad, and the modes in which nothing is recorded.

functional has Jacobians and products with them, numerical the check against differences, function
ops of one's own, anomaly the search for the first NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Node, Tensor, is_anomaly_enabled, is_grad_enabled, tape_text
from .._errors import placed
from . import functional
from .anomaly import detect_anomaly, set_detect_anomaly
from .function import Function
from .modes import (
    enable_grad,
    inference_mode,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .numerical import GradcheckError, gradcheck, gradgradcheck

__all__ = [
    "Function",
    "GradcheckError",
    "Node",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "tape_text",
]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Adds the gradients of tensors into the .grad of the leaves they were made of, or of inputs.

    inputs are tensors, leaves or results; then no other .grad changes.

    grad_tensors are the gradients to start from, one for each tensor and of its shape; it may be
    left out where a tensor has one element. Raises RuntimeError if nothing requires a gradient or
    the tape has been freed.
    """
    _C._backward(tensors, grad_tensors, retain_graph, create_graph, inputs)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of outputs with respect to each of inputs, in their shapes.

    With create_graph they are on the tape themselves, for second derivatives. An input that
    outputs were not made of raises RuntimeError, gives None with allow_unused, and zeros with
    materialize_grads. Raises NotImplementedError for is_grads_batched: tg.vmap what
    tg.func.vjp gives.
    """
    if not only_inputs:
        raise placed(
            ValueError, "grad: only_inputs=False is not offered; use backward to fill every .grad"
        )
    if is_grads_batched:
        raise NotImplementedError(
            "grad: is_grads_batched is not offered; call grad once for each row of grad_outputs, "
            "with retain_graph=True, or tg.vmap the function that tg.func.vjp gives"
        )
    if materialize_grads and allow_unused is False:
        raise placed(
            ValueError,
            "grad: materialize_grads=True gives zeros for an unused input, and allow_unused=False "
            "forbids one; leave allow_unused out",
        )
    unused = bool(allow_unused) or materialize_grads
    found = _C._grad(outputs, inputs, grad_outputs, retain_graph, create_graph, unused)
    if not materialize_grads:
        return found
    given: Any = (inputs,) if isinstance(inputs, Tensor) else inputs
    return tuple(_C.zeros_like(x) if g is None else g for x, g in zip(given, found))
