"""What optimisers have in common: groups of parameters, and numbers that are tensors.

State that changes is a tensor, made in the constructor: a compiled step then reads and writes it as
it does the weights. So a learning rate that changes asks for no new trace. An update rule is one
function of one parameter, in ops: read sgd.py next, then adam.py.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Callable

import numpy as np

from .. import _C
from .._C import Tensor
from .._errors import placed
from ..autograd import enable_grad, no_grad
from ..nn.changes import Changes
from ..nn.hooks import RemovableHandle
from .fused import FusedStep
from .step_hooks import with_hooks

State = dict[str, Any]
# State that is one number, not of its parameter's shape.
NUMBERS = ("step", "mu_product", "eta", "mu")


class ParamGroup(UserDict):  # type: ignore[type-arg]
    """One group's parameters and numbers: group["lr"] = 0.01 also writes the tensor behind it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.tensors: dict[str, Any] = {}  # a tensor, or a tuple of them for a tuple of numbers
        super().__init__(values)

    def make_tensor(self, name: str) -> None:
        """From here on this number is a float64 tensor of no dims too; a tuple is one for each."""
        if name in self.tensors:
            return
        value, params = self.data[name], self.data["params"]
        several = isinstance(value, tuple)
        device = params[0].device if params else "cpu"
        made = tuple(_C.tensor(float(v), dtype=_C.float64, device=device)
                     for v in (value if several else [value]))  # fmt: skip
        self.tensors[name] = made if several else made[0]
        Changes.count += 1

    def number(self, name: str) -> Any:
        """The tensor behind a number, or the number itself where there is none."""
        return self.tensors[name] if name in self.tensors else self.data[name]

    def uses(self, name: str) -> bool:
        """Is this number other than 0, or a tensor, which may become so?"""
        return name in self.tensors or self.data[name] != 0

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self.tensors:
            Changes.count += 1
        elif isinstance(self.tensors[name], tuple):
            value = tuple(float(v) for v in value)
            for tensor, number in zip(self.tensors[name], value):
                _write(name, tensor, number)
        else:
            value = float(value)
            _write(name, self.tensors[name], value)
        self.data[name] = value


def _write(name: str, tensor: Tensor, value: float) -> None:
    with no_grad():
        tensor.fill_(value)
        if (tensor * 1).is_symbolic:
            raise placed(
                RuntimeError,
                f"{name}: set to {value} inside of a compiled function, which would write this "
                f"number at each call; set it, and step the scheduler, outside",
            )


def lerp_(average: Tensor, value: Tensor, weight: Any) -> None:
    """average = average + weight (value - average), exact at both ends if weight is a number."""
    if isinstance(weight, float) and weight >= 0.5:
        average.copy_(value - (value - average) * (1 - weight))
    else:
        average.add_((value - average) * weight)


class Optimizer:
    """params is parameters, or a list of dicts, each with "params" and numbers of its own.

    A subclass writes make_state and update. maximize among a group's numbers turns the sign of the
    gradients. With fused, step() runs the updates of all parameters as one compiled program in
    place of op by op: the same bits, and all parameters change or none. Inside tg.compile, where
    everything is one program, it changes nothing. On the device "cuda" SGD, Adam and AdamW change
    all parameters of a group in one launch, fused or not, where they are contiguous, of float32 or
    all of float64, and no scheduler changes the momentum or the betas. Raises TypeError or
    ValueError where there is nothing, no leaf, or one tensor twice.
    """

    _fused: FusedStep | None = None

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise placed(
                TypeError,
                f"{type(self).__name__}: params must be several parameters, not one tensor; "
                f"write [w]",
            )
        if isinstance(params, set):
            raise placed(
                TypeError, f"{type(self).__name__}: a set of parameters has no order; give a list"
            )
        if not isinstance(params, Iterable):
            raise placed(
                TypeError,
                f"{type(self).__name__}: params must be parameters, as model.parameters() or [w], "
                f"not {type(params).__name__}",
            )
        given = list(params)
        if not given:
            raise placed(ValueError, f"{type(self).__name__}: there is no parameter to optimise")
        self.defaults = dict(defaults)
        self.step_pre_hooks: dict[int, Callable[..., Any]] = {}
        self.step_post_hooks: dict[int, Callable[..., Any]] = {}
        self.param_groups: list[ParamGroup] = []
        self.state: dict[Tensor, State] = {}
        self._prepared = -1
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def check_not_negative(self, **numbers: float) -> None:
        for name, value in numbers.items():
            try:
                negative = not value >= 0
            except TypeError:
                raise placed(
                    TypeError,
                    f"{type(self).__name__}: {name} must be a number, not {type(value).__name__}",
                ) from None
            if negative:
                raise placed(
                    ValueError,
                    f"{type(self).__name__}: {name} must not be negative, and is {value}",
                )

    def check_ways(self, foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
        """PyTorch's ways to take a step that are no numbers: here foreach changes nothing."""
        name = type(self).__name__
        if foreach and fused:
            raise RuntimeError(f"{name}: give either fused or foreach, not both")
        if differentiable:
            raise NotImplementedError(
                f"{name}: a step goes on no tape, so differentiable=True has nothing to do; for a "
                f"gradient through a step write it out of place, as w - lr * g"
            )

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Takes more parameters: {"params": [...], "lr": ...}, the rest as in the constructor."""
        name = type(self).__name__
        group = param_group
        if not isinstance(group, Mapping):
            raise placed(
                TypeError, f"{name}: a group of parameters is a dict, not {type(group).__name__}"
            )
        params = group["params"]
        if isinstance(params, set):
            raise placed(TypeError, f"{name}: a set of parameters has no order; give a list")
        params = [params] if isinstance(params, Tensor) else list(params)
        taken = {id(p) for g in self.param_groups for p in g["params"]}
        for param in params:
            if not isinstance(param, Tensor):
                raise placed(
                    TypeError, f"{name}: a parameter is a tensor, not {type(param).__name__}"
                )
            if not param.is_leaf:
                raise placed(
                    ValueError,
                    f"{name}: only a leaf can be optimised; this is the result of "
                    f"{param.grad_fn!r}",
                )
            if id(param) in taken:
                raise placed(ValueError, f"{name}: a parameter is given twice")
            taken.add(id(param))
        made = ParamGroup({**self.defaults, **group, "params": params})
        self.param_groups.append(made)
        self.make_state(made)
        Changes.count += 1

    # ---- state ------------------------------------------------------------------------------

    def make_state(self, group: ParamGroup) -> None:
        """Makes the tensors that update() changes or reads, where they are not there yet."""

    def remember(self, param: Tensor, name: str, value: float = 0.0) -> None:
        """State of param's shape and dtype that starts as value."""
        state = self.state.setdefault(param, {})
        if name not in state:
            state[name] = _C.full_like(param, value)

    def remember_step(self, param: Tensor, value: float = 0.0) -> None:
        """A count of steps: float64 of no dims, so that beta^step is as exact as Python's."""
        self.remember_number(param, "step", value)

    def remember_number(self, param: Tensor, name: str, value: float) -> None:
        """State of a parameter that is one number, one of NUMBERS: float64 of no dims."""
        state = self.state.setdefault(param, {})
        if name not in state:
            state[name] = _C.tensor(value, dtype=_C.float64, device=param.device)

    def prepare(self) -> None:
        """Makes the state that a number changed since asks for, such as a momentum that was 0."""
        if self._prepared != Changes.count:
            for group in self.param_groups:
                self.make_state(group)
            self._prepared = Changes.count

    # ---- a step -----------------------------------------------------------------------------

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        """Changes one parameter, whose gradient is g."""
        raise NotImplementedError(f"{type(self).__name__}: write an update function for it")

    def update_together(self, pairs: list[tuple[Tensor, Tensor]], group: ParamGroup) -> bool:
        """Changes all these parameters, each with its gradient, in one launch on the device.

        False, and nothing is done, where that is not written: then update is called for each.
        """
        return False

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(optimizer, args, kwargs) runs before each step; it may return (args, kwargs)."""
        return self._hooked(self.step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(optimizer, args, kwargs) runs after each step."""
        return self._hooked(self.step_post_hooks, hook)

    def _hooked(self, table: dict[int, Any], hook: Callable[..., Any]) -> RemovableHandle:
        handle = RemovableHandle(table)
        table[handle.id] = hook
        Changes.count += 1
        return handle

    @with_hooks
    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes every parameter that has a gradient; gives what closure, called first, gave."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self.prepare()
        groups: Sequence[ParamGroup] = self.param_groups
        fused = [] if _C._is_recording() else [g for g in groups if g.data.get("fused")]
        if fused:
            if self._fused is None:
                self._fused = FusedStep(self)
            self._fused(self, fused)
            groups = [g for g in groups if not g.data.get("fused")]
        self.update_all(groups)
        return loss

    def update_all(self, groups: Sequence[ParamGroup]) -> None:
        """Changes the parameters of some groups, those that have a gradient."""
        for group in groups:
            pairs = [(p, g) for p in group["params"] for g in [p.grad] if g is not None]
            if pairs and pairs[0][0].is_cuda and self.update_together(pairs, group):
                continue
            maximize = group.get("maximize", False)
            for param, g in pairs:
                self.update(param, -g if maximize else g, group)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_fused"}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients (or writes zeros into them)."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    with no_grad():
                        param.grad.zero_()

    def trace_key(self) -> Hashable:
        """What step() depends on beside tensors: a compiled function asks, before it traces."""
        self.prepare()
        return tuple(
            tuple((k, v) for k, v in group.items() if k != "params" and k not in group.tensors)
            for group in self.param_groups
        )

    def state_dict(self) -> dict[str, Any]:
        """The state of each parameter, by its place, and the groups' numbers.

        The tensors are on the same bytes, and change with the next step: copy.deepcopy keeps them.
        """
        places: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for param in group["params"]:
                places[id(param)] = len(places)
            numbers = {k: v for k, v in group.items() if k != "params"}
            groups.append({**numbers, "params": [places[id(p)] for p in group["params"]]})
        state = {
            places[id(param)]: {k: v.detach() for k, v in values.items()}
            for param, values in self.state.items()
        }
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Writes a state_dict's values into this optimiser's tensors and numbers.

        State that it does not have starts anew. Raises ValueError, having written nothing, if the
        groups or a shape do not fit. Schedulers write the learning rate when they are made: make
        them before.
        """
        groups, state = state_dict["param_groups"], state_dict["state"]
        sizes = [len(g["params"]) for g in groups]
        own = [len(g["params"]) for g in self.param_groups]
        if sizes != own:
            raise placed(
                ValueError,
                f"load_state_dict: groups of {sizes} parameters do not fit groups of {own}",
            )
        params = [p for g in self.param_groups for p in g["params"]]
        places = [place for g in groups for place in g["params"]]
        given = {id(p): _loadable(p, k, state.get(k, {})) for p, k in zip(params, places)}
        for group, loaded in zip(self.param_groups, groups):
            for name, value in loaded.items():
                if name != "params":
                    group[name] = tuple(value) if isinstance(value, list) else value
        self.prepare()
        # The tensors stay the same ones, for compiled steps hold them.
        kept, self.state = self.state, {}
        for group in self.param_groups:
            self.make_state(group)
        fresh, self.state = self.state, kept
        with no_grad():
            for param in params:
                values = {**fresh.get(param, {}), **given[id(param)]}
                for name, value in values.items():
                    if name in NUMBERS:
                        self.remember_number(param, name, 0.0)
                    else:
                        self.remember(param, name)
                    self.state[param][name].copy_(value)

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            numbers = ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            lines.append(f"  group {i}: {numbers}\n")
        return f"{type(self).__name__}(\n{''.join(lines)})"


def _loadable(param: Tensor, place: Any, values: Mapping[str, Any]) -> State:
    """The values of one parameter's state that are there, all but NUMBERS of the parameter's shape.

    What NumPy can read, as PyTorch's tensors, is read by it.
    """
    found = {
        k: v if isinstance(v, Tensor) else _C.tensor(np.asarray(v))
        for k, v in values.items()
        if v is not None
    }
    for name, value in found.items():
        shape = tuple(value.shape)
        if name not in NUMBERS and shape != tuple(param.shape):
            raise placed(
                ValueError,
                f"load_state_dict: {name} of parameter {place} is {shape}, and the parameter is "
                f"{tuple(param.shape)}",
            )
    return found
