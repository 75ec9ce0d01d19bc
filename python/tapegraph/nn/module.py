"""Module: a tree of parameters with a forward function."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple, TypeVar

from .._C import Tensor
from ..autograd import no_grad
from .parameter import Parameter

M = TypeVar("M", bound="Module")


class Changes:
    """Counts every change to any module's attributes, so that a compiled function that captured
    modules looks them over only after one."""

    count = 0


class LoadResult(NamedTuple):
    """The names that load_state_dict could not use."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Subclass it, make parameters and other modules in __init__, and write forward.

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(64, 32)

        def forward(self, x):
            return self.hidden(x).relu()
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def __init__(self) -> None:
        setattr_plain = object.__setattr__
        setattr_plain(self, "_parameters", {})
        setattr_plain(self, "_buffers", {})
        setattr_plain(self, "_modules", {})
        setattr_plain(self, "training", True)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: write a forward function for it")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    # ---- attributes -------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        Changes.count += 1
        tables = self.__dict__
        if "_parameters" not in tables:
            if isinstance(value, (Parameter, Module)):
                raise AttributeError(
                    f"{type(self).__name__}: call super().__init__() before assigning {name}"
                )
            object.__setattr__(self, name, value)
        elif isinstance(value, Parameter):
            self._take(name, "_parameters")
            self._parameters[name] = value
        elif isinstance(value, Module):
            self._take(name, "_modules")
            self._modules[name] = value
        elif name in self._parameters:
            if value is not None:
                raise TypeError(
                    f"{name}: is a parameter; assign nn.Parameter(...) or None, not "
                    f"{type(value).__name__}"
                )
            self._parameters[name] = None
        elif name in self._modules and value is None:
            self._modules[name] = None
        elif name in self._buffers and (value is None or isinstance(value, Tensor)):
            self._buffers[name] = value
        else:
            self._modules.pop(name, None)
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        # Only what is not an ordinary attribute comes here.
        tables = self.__dict__
        for table in ("_parameters", "_modules", "_buffers"):
            if name in tables.get(table, ()):
                return tables[table][name]
        raise AttributeError(f"{type(self).__name__} has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        Changes.count += 1
        for table in (self._parameters, self._modules, self._buffers):
            if name in table:
                del table[name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._parameters, *self._modules, *self._buffers]

    def _take(self, name: str, table: str) -> None:
        """Removes name from wherever it was before it enters table."""
        self.__dict__.pop(name, None)
        for other in ("_parameters", "_modules", "_buffers"):
            if other != table:
                self.__dict__[other].pop(name, None)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        Changes.count += 1
        self._check_name(name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"{name}: must be an nn.Parameter, not {type(param).__name__}")
        self._take(name, "_parameters")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None) -> None:
        """State that is saved and moved with the module, but not trained."""
        Changes.count += 1
        self._check_name(name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: must be a tensor, not {type(tensor).__name__}")
        self._take(name, "_buffers")
        self._buffers[name] = tensor

    def add_module(self, name: str, module: Module | None) -> None:
        Changes.count += 1
        self._check_name(name)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{name}: must be an nn.Module, not {type(module).__name__}")
        self._take(name, "_modules")
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, name: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: call super().__init__() first")
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"{name!r} is no name for a part of a module: a word without dots")

    # ---- the tree ---------------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        for name, module in self._modules.items():
            if module is not None:
                yield name, module

    def children(self) -> Iterator[Module]:
        for _, module in self.named_children():
            yield module

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once."""
        seen: set[int] = set()
        todo = [(prefix, self)]
        while todo:
            path, module = todo.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            below = [(f"{path}.{n}" if path else n, m) for n, m in module.named_children()]
            todo.extend(reversed(below))

    def modules(self) -> Iterator[Module]:
        for _, module in self.named_modules():
            yield module

    def _named(self, table: str, recurse: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules() if recurse else [("", self)]:
            for name, value in module.__dict__[table].items():
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(self, recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """("hidden.weight", parameter) and so on, each parameter once."""
        return self._named("_parameters", recurse)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        for _, parameter in self.named_parameters(recurse):
            yield parameter

    def named_buffers(self, recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        return self._named("_buffers", recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        for _, buffer in self.named_buffers(recurse):
            yield buffer

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Calls fn with every module below this one, and with this one last."""
        for module in reversed(list(self.modules())):
            fn(module)
        return self

    # ---- state ------------------------------------------------------------------------------

    def state_dict(self) -> OrderedDict[str, Tensor]:
        """Every parameter and buffer by name: tensors on the same bytes, apart from the tape."""
        state: OrderedDict[str, Tensor] = OrderedDict()
        for path, module in self.named_modules():
            for table in (module._parameters, module._buffers):
                for name, value in table.items():
                    if value is not None:
                        state[f"{path}.{name}" if path else name] = value.detach()
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Writes the values of state_dict into the parameters and buffers of the same names.

        Raises RuntimeError, having written nothing, if a shape does not fit, or, if strict, if a
        name is missing or unexpected. The text lists them all.
        """
        own = self.state_dict()
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        wrong = [
            f"{name} is {tuple(own[name].shape)} here and {tuple(value.shape)} in the state"
            for name, value in state_dict.items()
            if name in own and tuple(value.shape) != tuple(own[name].shape)
        ]
        errors = []
        if strict and missing:
            errors.append(f"missing: {', '.join(missing)}")
        if strict and unexpected:
            errors.append(f"unexpected: {', '.join(unexpected)}")
        if wrong:
            errors.append(f"of another shape: {'; '.join(wrong)}")
        if errors:
            raise RuntimeError(f"load_state_dict for {type(self).__name__}: " + "; ".join(errors))
        with no_grad():
            for name, value in state_dict.items():
                if name in own:
                    own[name].copy_(value)
        return LoadResult(missing, unexpected)

    def train(self: M, mode: bool = True) -> M:
        """Sets `training`, here and below; some layers work differently in training."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, not {type(mode).__name__}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients (or writes zeros into them)."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                with no_grad():
                    parameter.grad.zero_()

    def to(self: M, *target: Any, **named: Any) -> M:
        """Every parameter and buffer as another (floating) dtype or on another device.

        As in PyTorch the module itself changes. A parameter that changes is a new one: make the
        optimiser after.
        """
        for module in self.modules():
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    moved = _moved(parameter, target, named)
                    if moved is not parameter:
                        module._parameters[name] = Parameter(moved, parameter.requires_grad)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = _moved(buffer, target, named)
        Changes.count += 1
        return self

    def float(self: M) -> M:
        from .._C import float32

        return self.to(float32)

    def double(self: M) -> M:
        from .._C import float64

        return self.to(float64)

    def cpu(self: M) -> M:
        return self.to("cpu")

    def cuda(self: M) -> M:
        return self.to("cuda")

    def __copy__(self: M) -> M:
        """copy.copy(module): the same parameters, buffers and modules, under names of its own.

        Assigning to an attribute of the copy leaves this module as it is, as with any object; in
        PyTorch the two would share their tables. copy.deepcopy copies parameters too, with their
        gradients; pickle leaves the gradients out. In both, what is shared below stays shared.
        """
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        for table in ("_parameters", "_buffers", "_modules"):
            made.__dict__[table] = self.__dict__[table].copy()
        return made

    # ---- printing ---------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the brackets of the repr."""
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        lines = [extra] if extra else []
        for child, module in self._modules.items():
            lines.append(f"({child}): " + repr(module).replace("\n", "\n  "))
        if lines == [extra]:
            return f"{name}({extra})"
        return f"{name}(\n  " + "\n  ".join(lines) + "\n)" if lines else f"{name}()"


def _moved(tensor: Tensor, target: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    """As tensor.to(...), which leaves integers' dtypes alone."""
    with no_grad():
        moved = tensor.to(*target, **named)
        if moved.dtype != tensor.dtype and not tensor.dtype.is_floating_point:
            return tensor.to(moved.device)
    return moved
