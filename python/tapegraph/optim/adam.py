"""Adam and AdamW: steps of the gradient's mean over the root of its mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from .._C import Tensor
from .._errors import placed
from .optimizer import Optimizer, ParamGroup, lerp_


class Adam(Optimizer):
    """p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) at step t = 1, 2, ...

        g = g + weight_decay * p                    (or, decoupled, p = p - lr * weight_decay * p)
        m = beta1 * m + (1 - beta1) * g             exp_avg
        v = beta2 * v + (1 - beta2) * g^2           exp_avg_sq

    m and v start as 0, and so are too small at first, by the factor 1 - beta^t. With amsgrad the
    largest v so far (max_exp_avg_sq) stands in the root. All three have their parameter's shape; t
    (step) is float64 of no dims. fused=True: see Optimizer. Raises ValueError for a negative lr,
    eps or weight_decay, and for betas outside of [0, 1).

    [Kingma & Ba 2015, Adam: a method for stochastic optimization, algorithm 1]
    [Reddi, Kale & Kumar 2018, On the convergence of Adam and beyond, for amsgrad]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        self.check_ways(foreach, fused, differentiable)
        self.check_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
        try:
            inside = [0 <= beta < 1 for beta in betas]
        except TypeError:
            inside = []
        if len(inside) != 2:
            raise placed(
                TypeError, f"{type(self).__name__}: betas must be two numbers, and is {betas!r}"
            )
        for i in range(2):
            if not inside[i]:
                raise placed(
                    ValueError,
                    f"{type(self).__name__}: betas[{i}] must be in [0, 1), and is {betas[i]}",
                )
        defaults = {
            "lr": float(lr),
            "betas": (float(betas[0]), float(betas[1])),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr")
        for param in group["params"]:
            self.remember_step(param)
            self.remember(param, "exp_avg")
            self.remember(param, "exp_avg_sq")
            if group["amsgrad"]:
                self.remember(param, "max_exp_avg_sq")

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        state = self.state[param]
        lr, (beta1, beta2) = group.number("lr"), group.number("betas")
        weight_decay = group["weight_decay"]
        t, m, v = state["step"].add_(1), state["exp_avg"], state["exp_avg_sq"]
        if weight_decay != 0:
            if group["decoupled_weight_decay"]:
                param.mul_(1 - lr * weight_decay)
            else:
                g = g + param * weight_decay
        lerp_(m, g, 1 - beta1)
        v.mul_(beta2).add_(g * (1 - beta2) * g)
        if group["amsgrad"]:
            v = state["max_exp_avg_sq"].copy_(_C.maximum(state["max_exp_avg_sq"], v))
        root = v.sqrt() / (1 - beta2**t).sqrt() + group["eps"]
        param.sub_(m * (lr / (1 - beta1**t)) / root)

    def update_together(self, pairs: list[tuple[Tensor, Tensor]], group: ParamGroup) -> bool:
        beta1, beta2 = group.number("betas")
        if isinstance(beta1, Tensor):  # a scheduler changes them
            return False
        names = ["exp_avg", "exp_avg_sq", *["max_exp_avg_sq"] * bool(group["amsgrad"]), "step"]
        tensors = []
        for param, g in pairs:
            tensors += [param, g, *(self.state[param][name] for name in names)]
        flags = bool(group["amsgrad"]) + 2 * bool(group["maximize"])
        flags += 4 * bool(group["decoupled_weight_decay"])
        return _C._fused_adam(
            tensors, group.number("lr"), beta1, beta2, group["eps"], group["weight_decay"], flags
        )


class AdamW(Adam):
    """Adam whose weight decay shrinks p itself and does not go through m and v.

        p = p - lr * weight_decay * p,      and then Adam's step

    fused=True: see Optimizer.

    [Loshchilov & Hutter 2019, Decoupled weight decay regularization, algorithm 2]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad,
            foreach=foreach, maximize=maximize, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=True,
        )  # fmt: skip
