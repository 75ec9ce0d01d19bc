"""What optimisers have in common: groups of parameters, and numbers that are tensors.

State that changes is a tensor, made in the constructor: a compiled step then reads and writes it as
it does the weights. So a learning rate that changes asks for no new trace.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from .. import _C
from .._C import Tensor
from ..autograd import no_grad
from ..nn.module import Changes

State = dict[str, Any]


class ParamGroup(UserDict):  # type: ignore[type-arg]
    """One group's parameters and numbers: group["lr"] = 0.01 also writes the tensor behind it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.tensors: dict[str, Tensor] = {}
        super().__init__(values)

    def make_tensor(self, name: str, device: Any) -> None:
        """From here on this number is a tensor of no dims too."""
        value = float(self.data[name])
        self.tensors[name] = _C.tensor(value, dtype=_C.float64, device=device)

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self.tensors:
            value = float(value)
            with no_grad():
                self.tensors[name].fill_(value)
        else:
            Changes.count += 1
        self.data[name] = value


class Optimizer:
    """params is parameters, or a list of dicts, each with "params" and numbers of its own."""

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                f"{type(self).__name__}: params must be several parameters, not one tensor; "
                f"write [w]"
            )
        given = list(params)
        if not given:
            raise ValueError(f"{type(self).__name__}: there is no parameter to optimise")
        self.defaults = dict(defaults)
        self.param_groups: list[ParamGroup] = []
        self.state: dict[Tensor, State] = {}
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        name = type(self).__name__
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        taken = {id(p) for g in self.param_groups for p in g["params"]}
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"{name}: a parameter is a tensor, not {type(param).__name__}")
            if not param.is_leaf:
                raise ValueError(f"{name}: only a leaf can be optimised; this is the result of "
                                 f"{param.grad_fn!r}")  # fmt: skip
            if id(param) in taken:
                raise ValueError(f"{name}: a parameter is given twice")
            taken.add(id(param))
        made = ParamGroup({**self.defaults, **group, "params": params})
        self.param_groups.append(made)
        self.make_state(made)
        Changes.count += 1

    def make_state(self, group: ParamGroup) -> None:
        """Makes the tensors that step() changes or reads."""

    def step(self) -> None:
        raise NotImplementedError(f"{type(self).__name__}: write a step function for it")

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
        """What step() depends on beside tensors: a compiled function asks."""
        return tuple(
            tuple((k, v) for k, v in group.items() if k != "params" and k not in group.tensors)
            for group in self.param_groups
        )

    def state_dict(self) -> dict[str, Any]:
        """The state of each parameter, by its place, and the groups' numbers."""
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
        """Writes a state_dict's values into this optimiser's tensors and numbers."""
        groups = state_dict["param_groups"]
        sizes = [len(g["params"]) for g in groups]
        own = [len(g["params"]) for g in self.param_groups]
        if sizes != own:
            raise ValueError(
                f"load_state_dict: groups of {sizes} parameters do not fit groups of {own}"
            )
        params = [p for g in self.param_groups for p in g["params"]]
        with no_grad():
            for place, values in state_dict["state"].items():
                for name, value in values.items():
                    self.state[params[place]][name].copy_(value)
        for group, loaded in zip(self.param_groups, groups):
            for name, value in loaded.items():
                if name != "params":
                    group[name] = value

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            numbers = ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            lines.append(f"  group {i}: {numbers}\n")
        return f"{type(self).__name__}(\n{''.join(lines)})"
