"""L-BFGS: Newton's method with a curvature that is guessed from the last steps."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from .. import _C
from .._C import Tensor
from ..autograd import enable_grad, no_grad
from .line_search import strong_wolfe
from .optimizer import Optimizer, ParamGroup
from .step_hooks import with_hooks


class LBFGS(Optimizer):
    """step(closure) takes up to max_iter steps x = x + t d, d = -H g, over all parameters as one x.

    H, the inverse of the Hessian, is never written down: d is g multiplied by the last history_size
    pairs s = x' - x and y = g' - g [Nocedal & Wright 2006, Numerical optimization, 7.4]. t is lr
    (at first at most lr / |g|_1), or, for line_search_fn="strong_wolfe", found by a search. closure
    clears the gradients, computes the loss, calls backward and returns the loss; it is called up to
    max_eval times, 1.25 max_iter unless given. A step ends early where no |g_i| is above
    tolerance_grad, or the loss or x changes by less than tolerance_change.

    There is one group only. step looks at the loss to decide what to do next, so inside tg.compile
    it raises RuntimeError; compile the closure instead. Raises ValueError for a negative lr and for
    more groups, RuntimeError for another line_search_fn.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        self.check_not_negative(lr=lr)
        self._memory: dict[str, Any] = {"func_evals": 0, "n_iter": 0}
        defaults = {
            "lr": float(lr),
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        if self.param_groups:
            raise ValueError("LBFGS: there is one group only: all parameters move as one vector")
        super().add_param_group(param_group)

    # ---- all parameters as one vector ---------------------------------------------------------

    def _gradient(self) -> Tensor:
        params = self.param_groups[0]["params"]
        parts = [(_C.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in params]
        flat = _C.cat(parts)
        return -flat if self.param_groups[0].get("maximize") else flat

    def _move(self, d: Tensor, t: float) -> None:
        at = 0
        for p in self.param_groups[0]["params"]:
            p.add_(d[at : at + p.numel()].reshape(p.shape) * t)
            at += p.numel()

    def _loss_at(
        self, closure: Callable[[], Any], x: list[Tensor], t: float, d: Tensor
    ) -> tuple[float, Tensor]:
        """The loss and its gradient at x + t d; the parameters are at x again."""
        self._move(d, t)
        loss = float(closure())
        g = self._gradient()
        for p, before in zip(self.param_groups[0]["params"], x):
            p.copy_(before)
        return loss, g

    # ---- a step -------------------------------------------------------------------------------

    @with_hooks
    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Several steps; gives the loss that closure gave first."""
        if _C._is_recording():
            raise RuntimeError(
                "LBFGS: step() looks at the loss to decide how often to call the closure, and "
                "cannot be part of a compiled function; call it outside, and compile the closure"
            )
        group, memory = self.param_groups[0], self._memory

        def evaluate() -> Any:
            with enable_grad():
                return closure()

        first = evaluate()
        loss, g, calls = float(first), self._gradient(), 1
        memory["func_evals"] += 1
        if g.numel() == 0 or g.abs().max().item() <= group["tolerance_grad"]:
            return first
        for n in range(1, group["max_iter"] + 1):
            memory["n_iter"] += 1
            d = self._direction(g, group["history_size"])
            before = loss
            memory["prev_flat_grad"], memory["prev_loss"] = g.clone(), loss
            t = group["lr"]
            if memory["n_iter"] == 1:
                t = min(1.0, 1.0 / g.abs().sum().item()) * group["lr"]
            slope = (g @ d).item()
            if slope > -group["tolerance_change"]:
                memory.update(d=d, t=t)
                break
            more = 0
            if group["line_search_fn"] == "strong_wolfe":
                x = [p.clone() for p in group["params"]]
                loss, g, t, more = strong_wolfe(
                    lambda t, d=d, x=x: self._loss_at(evaluate, x, t, d), t, d, loss, g, slope
                )
                self._move(d, t)
            elif group["line_search_fn"] is not None:
                raise RuntimeError(
                    f"LBFGS: line_search_fn is None or 'strong_wolfe', not "
                    f"{group['line_search_fn']!r}"
                )
            else:
                self._move(d, t)
                if n != group["max_iter"]:
                    loss, g, more = float(evaluate()), self._gradient(), 1
            memory.update(d=d, t=t)
            calls += more
            memory["func_evals"] += more
            least = group["tolerance_change"]
            if (
                calls >= group["max_eval"]
                or g.abs().max().item() <= group["tolerance_grad"]
                or (d * t).abs().max().item() <= least
                or abs(loss - before) < least
            ):
                break
        return first

    def _direction(self, g: Tensor, history_size: int) -> Tensor:
        """d = -H g by the two loops of [Nocedal & Wright 2006, algorithm 7.4]."""
        memory = self._memory
        if memory["n_iter"] == 1:
            memory.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        ys, ss, ro = memory["old_dirs"], memory["old_stps"], memory["ro"]
        y, s = g - memory["prev_flat_grad"], memory["d"] * memory["t"]
        curvature = (y @ s).item()
        if curvature > 1e-10:
            for kept, new in ((ys, y), (ss, s), (ro, 1.0 / curvature)):
                if len(kept) >= history_size:
                    kept.pop(0)
                kept.append(new)
            memory["H_diag"] = curvature / (y @ y).item()
        q = -g
        weights = [0.0] * len(ys)
        for i in reversed(range(len(ys))):
            weights[i] = (ss[i] @ q).item() * ro[i]
            q = q - ys[i] * weights[i]
        r = q * memory["H_diag"]
        for i in range(len(ys)):
            r = r + ss[i] * (weights[i] - (ys[i] @ r).item() * ro[i])
        return r

    # ---- what is kept -------------------------------------------------------------------------

    def make_state(self, group: ParamGroup) -> None:
        pass  # _memory, which is of all parameters together

    def state_dict(self) -> dict[str, Any]:
        """The pairs and the last step, under the first parameter, and the group's numbers."""
        kept = {k: list(v) if isinstance(v, list) else v for k, v in self._memory.items()}
        return {**super().state_dict(), "state": {0: kept}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        super().load_state_dict({**state_dict, "state": {}})
        self._memory = copy.deepcopy(dict(state_dict["state"].get(0, self._memory)))
