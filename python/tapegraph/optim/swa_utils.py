"""Weights averaged over a training: AveragedModel, its rules, and the schedule that goes with it.

[Izmailov et al. 2018, Averaging weights leads to wider optima and better generalization]
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from typing import Any, Callable

from .. import _C
from .._C import Tensor
from ..autograd import no_grad
from ..nn.module import Module
from ..nn.normalization import BatchNorm1d, BatchNorm2d
from .lr_scheduler.base import LRScheduler, Several, for_each_group
from .optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn",
    "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip

One = Callable[[Tensor, Tensor, Tensor], Tensor]
Multi = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor], None]


def get_ema_avg_fn(decay: float = 0.999) -> One:
    """average = decay * average + (1 - decay) * weight."""
    _check_decay("get_ema_avg_fn", decay)
    return lambda average, weight, n: decay * average + (1 - decay) * weight


def get_swa_avg_fn() -> One:
    """average = average + (weight - average) / (n + 1): the mean of all."""
    return lambda average, weight, n: average + (weight - average) / (n + 1)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Multi:
    """The same for lists of averages, which are written in place, and of weights."""
    _check_decay("get_ema_multi_avg_fn", decay)
    return _for_each(lambda average, weight, n: average + (weight - average) * (1 - decay))


def get_swa_multi_avg_fn() -> Multi:
    """The mean of all, for lists of averages, which are written in place, and of weights."""
    return _for_each(get_swa_avg_fn())


def _check_decay(name: str, decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"{name}: decay must be in [0, 1], and is {decay}")


def _for_each(rule: One) -> Multi:
    def update(averages: Sequence[Tensor], weights: Sequence[Tensor], n: Tensor) -> None:
        with no_grad():
            for average, weight in zip(averages, weights):
                if average.is_floating_point():
                    average.copy_(rule(average, weight.to(average.device), n))
                else:
                    average.copy_(weight)

    return update


class AveragedModel(Module):
    """A copy of model, module, whose weights are averages: update_parameters(model) takes those of
    now into them. The first call copies; the mean of all is taken unless avg_fn(average, weight, n)
    or multi_avg_fn(averages, weights, n) says otherwise. With use_buffers buffers are averaged too,
    else they are model's. Raises ValueError if both functions are given.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: One | None = None,
        multi_avg_fn: Multi | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: give avg_fn or multi_avg_fn, and not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", _C.tensor(0, dtype=_C.int64))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Takes the weights of model, a module like the copied one, into the averages."""
        averages, weights = list(self.module.parameters()), list(model.parameters())
        buffers = list(zip(self.module.buffers(), model.buffers()))
        if self.use_buffers:
            averages += [average for average, _ in buffers]
            weights += [weight for _, weight in buffers]
        if self.n_averaged.item() == 0:
            for average, weight in zip(averages, weights):
                average.copy_(weight)
        elif self.avg_fn is not None:
            _for_each(self.avg_fn)(averages, weights, self.n_averaged)
        else:
            (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, weights, self.n_averaged)
        if not self.use_buffers:
            for average, weight in buffers:
                average.copy_(weight)
        self.n_averaged.add_(1)


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes the running means and variances of model's BatchNorm anew, over loader's batches.

    Of a batch that is a list or tuple the first part goes into model. Averaged weights need it:
    model has never seen a batch with them.
    """
    norms = [m for m in model.modules() if isinstance(m, (BatchNorm1d, BatchNorm2d))]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    was_training = model.training
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    model.train()
    for batch in loader:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(x if device is None else x.to(device))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the rate there is to swa_lr in anneal_epochs steps, along half a cosine or a line.

    lr = swa_lr * a + lr_0 * (1 - a), where a goes from 0 to 1. Raises ValueError for another
    anneal_strategy than "cos" and "linear" and for negative anneal_epochs.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Several,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"SWALR: anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(
                f"SWALR: anneal_epochs must be an integer and not negative, and is {anneal_epochs}"
            )
        self.anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        rates = for_each_group(self, optimizer, "swa_lr", swa_lr)
        for group, rate in zip(optimizer.param_groups, rates):
            group["swa_lr"] = rate
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        t, n = self.last_epoch, self.anneal_epochs
        if n == 0:
            t = max(1, t)
        before, now = self._part((t - 1) / max(1, n)), self._part(t / max(1, n))
        rates = []
        for group in self.optimizer.param_groups:
            lr, end = group["lr"], group["swa_lr"]
            first = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + first * (1 - now))
        return rates

    def _part(self, t: float) -> float:
        t = max(0.0, min(1.0, t))
        return t if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2
