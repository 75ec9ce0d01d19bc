"""Muon: momentum of a matrix, made orthogonal before each step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .._C import Tensor
from .optimizer import Optimizer, ParamGroup


class Muon(Optimizer):
    """p = (1 - lr * weight_decay) p - lr * r * O, for matrices p (A, B), with

        b = momentum * b + (1 - momentum) * g       momentum_buffer
        d = b, or with nesterov momentum * b + (1 - momentum) * g
        O = orthogonal(d): its singular values brought near 1 by ns_steps of Newton and Schulz
        r = sqrt(max(1, A / B)), or for adjust_lr_fn "match_rms_adamw" 0.2 sqrt(max(A, B))

    b has its parameter's shape and starts as 0. For a network's other parameters, vectors and
    embeddings, take AdamW. O is computed in the parameter's dtype, where PyTorch rounds to
    bfloat16. fused=True: see Optimizer. Raises ValueError for a negative lr, momentum or
    weight_decay, a parameter that is no matrix, and another adjust_lr_fn.

    [Jordan et al. 2024, Muon: an optimizer for hidden layers in neural networks]
    [Liu et al. 2025, Muon is scalable for LLM training, 2.2, for match_rms_adamw]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
        *,
        fused: bool | None = None,
    ) -> None:
        self.check_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn is None, 'original' or 'match_rms_adamw', not {adjust_lr_fn!r}"
            )
        if not 0 <= ns_steps < 100 or len(ns_coefficients) != 3:
            raise ValueError(
                f"Muon: ns_steps must be in 0..99 and ns_coefficients three numbers, and they are "
                f"{ns_steps} and {ns_coefficients}"
            )
        defaults = {
            "lr": float(lr),
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": tuple(ns_coefficients),
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr")
        for param in group["params"]:
            if param.ndim != 2:
                raise ValueError(
                    f"Muon: a parameter is a matrix, and this one is {tuple(param.shape)}; give it "
                    f"to AdamW"
                )
            self.remember(param, "momentum_buffer")

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        b, lr = self.state[param]["momentum_buffer"], group.number("lr")
        b.add_((g - b) * (1 - group.number("momentum")))
        d = g + (b - g) * group.number("momentum") if group["nesterov"] else b
        o = orthogonal(d, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = param.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        else:
            ratio = math.sqrt(max(1.0, rows / columns))
        param.mul_(1 - lr * group["weight_decay"])
        param.sub_(o * (lr * ratio))


def orthogonal(x: Tensor, coefficients: tuple[float, ...], steps: int, eps: float) -> Tensor:
    """x (A, B), with each singular value s brought to s_steps, s' = a s + b s^3 + c s^5.

    In each step X' = a X + (b S + c S^2) X, with S = X X^T of the shorter side; before the first, x
    is divided by its norm, so that no s is above 1.
    """
    a, b, c = coefficients
    turned = x.shape[0] > x.shape[1]
    x = x.T if turned else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        s = x @ x.T
        x = x * a + (s * b + s @ s * c) @ x
    return x.T if turned else x
