"""Lion: steps of one size for every number, of which only the direction is learned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._C import Tensor
from .adam_variants import check_betas
from .optimizer import Optimizer, ParamGroup, lerp_


class Lion(Optimizer):
    """p = p - lr * (sign(c) + weight_decay * p), with

        c = beta1 * m + (1 - beta1) * g
        m = beta2 * m + (1 - beta2) * g             exp_avg, after c

    m has its parameter's shape and starts as 0. Its rate is 3 to 10 times smaller than Adam's, and
    its weight decay as much larger. fused=True: see Optimizer. Raises ValueError for a negative lr
    or weight_decay, and for betas outside of [0, 1). PyTorch has none.

    [Chen et al. 2023, Symbolic discovery of optimization algorithms, algorithm 2]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        fused: bool | None = None,
    ) -> None:
        self.check_not_negative(lr=lr, weight_decay=weight_decay)
        check_betas("Lion", betas)
        defaults = {
            "lr": float(lr),
            "betas": (float(betas[0]), float(betas[1])),
            "weight_decay": weight_decay,
            "maximize": maximize,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr")
        for param in group["params"]:
            self.remember(param, "exp_avg")

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        beta1, beta2 = group.number("betas")
        lr, m = group.number("lr"), self.state[param]["exp_avg"]
        direction = (m * beta1 + g * (1 - beta1)).sign()
        if group["weight_decay"] != 0:
            param.mul_(1 - lr * group["weight_decay"])
        param.sub_(direction * lr)
        lerp_(m, g, 1 - beta2)
