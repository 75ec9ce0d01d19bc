"""Adamax, NAdam and RAdam: what else can be done with Adam's two means. Read adam.py first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from .._C import Tensor
from .optimizer import Optimizer, ParamGroup, lerp_


class _Variant(Optimizer):
    """The arguments that the three share, and the two means."""

    means: tuple[str, ...] = ("exp_avg", "exp_avg_sq")

    def __init__(
        self, params: Iterable[Any], lr: float, betas: tuple[float, float], eps: float,
        weight_decay: float, maximize: bool, fused: bool | None, **more: Any,
    ) -> None:  # fmt: skip
        self.check_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(type(self).__name__, betas)
        defaults = {
            "lr": float(lr),
            "betas": (float(betas[0]), float(betas[1])),
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "fused": fused,
            **more,
        }
        super().__init__(params, defaults)

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr")
        for param in group["params"]:
            self.remember_step(param)
            for name in self.means:
                self.remember(param, name)

    def decayed(self, param: Tensor, g: Tensor, group: ParamGroup) -> Tensor:
        """The gradient with the weight decay; or, decoupled, the parameter shrinks here."""
        if group["weight_decay"] == 0:
            return g
        if group.get("decoupled_weight_decay"):
            param.mul_(1 - group.number("lr") * group["weight_decay"])
            return g
        return g + param * group["weight_decay"]


def check_betas(name: str, betas: tuple[float, float]) -> None:
    for i in range(2):
        if not 0 <= betas[i] < 1:
            raise ValueError(f"{name}: betas[{i}] must be in [0, 1), and is {betas[i]}")


class Adamax(_Variant):
    """p = p - lr / (1 - beta1^t) * m / u at step t = 1, 2, ...

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g             exp_avg
        u = max(beta2 * u, |g| + eps)               exp_inf

    m and u have their parameter's shape and start as 0. fused=True: see Optimizer. Raises
    ValueError for a negative lr, eps or weight_decay, and for betas outside of [0, 1).

    [Kingma & Ba 2015, Adam: a method for stochastic optimization, algorithm 2]
    """

    means = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize, fused)

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        state, (beta1, beta2) = self.state[param], group.number("betas")
        t, m, u = state["step"].add_(1), state["exp_avg"], state["exp_inf"]
        g = self.decayed(param, g, group)
        lerp_(m, g, 1 - beta1)
        u.copy_(_C.maximum(u * beta2, g.abs() + group["eps"]))
        param.sub_(m * (group.number("lr") / (1 - beta1**t)) / u)


class NAdam(_Variant):
    """Adam with Nesterov's look ahead: the momentum that the next step will have.

        mu_t = beta1 * (1 - 0.96^(t * momentum_decay) / 2)
        p = p - lr * ((1 - mu_t) / (1 - mu_1 ... mu_t) * g
                      + mu_t+1 / (1 - mu_1 ... mu_t+1) * m) / (sqrt(v / (1 - beta2^t)) + eps)

    m and v are Adam's; mu_1 ... mu_t (mu_product) is float64 of no dims and starts as 1.
    fused=True: see Optimizer. Raises ValueError for a negative lr, eps, weight_decay or
    momentum_decay, and for betas outside of [0, 1).

    [Dozat 2016, Incorporating Nesterov momentum into Adam]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        fused: bool | None = None,
    ) -> None:
        self.check_not_negative(momentum_decay=momentum_decay)
        super().__init__(
            params, lr, betas, eps, weight_decay, maximize, fused,
            momentum_decay=momentum_decay, decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def make_state(self, group: ParamGroup) -> None:
        super().make_state(group)
        for param in group["params"]:
            self.remember_number(param, "mu_product", 1.0)

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        state, (beta1, beta2) = self.state[param], group.number("betas")
        lr, decay = group.number("lr"), group["momentum_decay"]
        t, m, v = state["step"].add_(1), state["exp_avg"], state["exp_avg_sq"]
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * decay))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * decay))
        product = state["mu_product"].mul_(mu)
        g = self.decayed(param, g, group)
        lerp_(m, g, 1 - beta1)
        v.mul_(beta2).add_(g * (1 - beta2) * g)
        root = (v / (1 - beta2**t)).sqrt() + group["eps"]
        param.sub_(g * (lr * (1 - mu) / (1 - product)) / root)
        param.sub_(m * (lr * mu_next / (1 - product * mu_next)) / root)


class RAdam(_Variant):
    """Adam that takes steps of m alone, until v is the mean of enough squares to divide by.

        rho = 2 / (1 - beta2) - 1,  rho_t = rho - 2 t beta2^t / (1 - beta2^t)
        r = sqrt((rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t))
        d = r * sqrt(1 - beta2^t) / (sqrt(v) + eps), or 1 until rho_t is above 5
        p = p - lr * m / (1 - beta1^t) * d

    m and v are Adam's. fused=True: see Optimizer. Raises ValueError for a negative lr, eps or
    weight_decay, and for betas outside of [0, 1).

    [Liu et al. 2020, On the variance of the adaptive learning rate and beyond, algorithm 2]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, maximize, fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        state, (beta1, beta2) = self.state[param], group.number("betas")
        t, m, v = state["step"].add_(1), state["exp_avg"], state["exp_avg_sq"]
        g = self.decayed(param, g, group)
        lerp_(m, g, 1 - beta1)
        v.mul_(beta2).add_(g * (1 - beta2) * g)
        power = beta2**t
        rho = 2 / (1 - beta2) - 1
        rho_t = rho - 2 * t * power / (1 - power)
        ready = rho_t > 5
        over = _C.where(ready, rho_t, 6.0)  # so that no root sees a negative number
        r = ((over - 4) * (over - 2) * rho / ((rho - 4) * (rho - 2) * over)).sqrt()
        step = m * (group.number("lr") / (1 - beta1**t))
        param.sub_(step * _C.where(ready, r * (1 - power).sqrt() / (v.sqrt() + group["eps"]), 1.0))
