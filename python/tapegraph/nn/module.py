"""Module: a tree of parameters with a forward function."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Callable, TypeVar

from .. import _C
from .._C import Tensor
from .._errors import placed
from ..autograd import no_grad
from . import hooks, state
from .changes import Changes
from .parameter import Parameter

M = TypeVar("M", bound="Module")


# What a subclass lacks that forgets super().__init__().
_MADE_BY_INIT = frozenset(
    ["_parameters", "_buffers", "_modules", "_not_saved", "_forward_pre_hooks", "_forward_hooks",
     "_backward_pre_hooks", "_backward_hooks", "training"]
)  # fmt: skip


class Module(hooks.Hooked):
    """Subclass it, make parameters and other modules in __init__, and write forward.

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(64, 32)

        def forward(self, x):
            return self.hidden(x).relu()
    """

    # Attributes that forward reads as plain values: a compiled function is traced anew for others.
    __constants__: tuple[str, ...] = ()

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _not_saved: set[str]

    def __init__(self) -> None:
        setattr_plain = object.__setattr__
        setattr_plain(self, "_parameters", {})
        setattr_plain(self, "_buffers", {})
        setattr_plain(self, "_modules", {})
        setattr_plain(self, "_not_saved", set())
        setattr_plain(self, "_forward_pre_hooks", {})
        setattr_plain(self, "_forward_hooks", {})
        setattr_plain(self, "_backward_pre_hooks", {})
        setattr_plain(self, "_backward_hooks", {})
        setattr_plain(self, "training", True)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: write a forward function for it")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            self._forward_pre_hooks
            or self._forward_hooks
            or self._backward_pre_hooks
            or self._backward_hooks
        ):
            return hooks.call(self, args, kwargs)
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
                raise placed(
                    TypeError,
                    f"{name}: is a parameter; assign nn.Parameter(...) or None, not "
                    f"{type(value).__name__}",
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
        if "_parameters" not in tables and name in _MADE_BY_INIT:
            raise AttributeError(
                f"{type(self).__name__}: its __init__ does not call super().__init__(), which "
                f"makes '{name}'"
            )
        raise AttributeError(f"{type(self).__name__} has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        Changes.count += 1
        for table in (self._parameters, self._modules, self._buffers):
            if name in table:
                del table[name]
                self._not_saved.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._parameters, *self._modules, *self._buffers]

    def _take(self, name: str, table: str) -> None:
        """Removes name from wherever it was before it enters table."""
        self.__dict__.pop(name, None)
        self._not_saved.discard(name)
        for other in ("_parameters", "_modules", "_buffers"):
            if other != table:
                self.__dict__[other].pop(name, None)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        Changes.count += 1
        self._check_name(name)
        if param is not None and not isinstance(param, Parameter):
            raise placed(TypeError, f"{name}: must be an nn.Parameter, not {type(param).__name__}")
        self._check_free(name, self._parameters)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """State that moves with the module and is not trained; in state_dict if persistent."""
        Changes.count += 1
        self._check_name(name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise placed(TypeError, f"{name}: must be a tensor, not {type(tensor).__name__}")
        self._check_free(name, self._buffers)
        self._buffers[name] = tensor
        if persistent:
            self._not_saved.discard(name)
        else:
            self._not_saved.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        Changes.count += 1
        self._check_name(name)
        if module is not None and not isinstance(module, Module):
            raise placed(TypeError, f"{name}: must be an nn.Module, not {type(module).__name__}")
        self._check_free(name, self._modules)
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, name: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(
                f"{type(self).__name__}: call super().__init__() before registering {name}"
            )
        if not isinstance(name, str) or not name or "." in name:
            raise placed(
                KeyError, f"{name!r} is no name for a part of a module: a word without dots"
            )

    def _check_free(self, name: str, table: dict[str, Any]) -> None:
        if name not in table and hasattr(self, name):
            raise placed(
                KeyError,
                f"{type(self).__name__}: there is an attribute '{name}' already; delete it first",
            )

    # ---- the tree ---------------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        for name, module in self._modules.items():
            if module is not None:
                yield name, module

    def children(self) -> Iterator[Module]:
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, with their paths; each once, or wherever it is."""
        seen: set[int] = set()
        todo = [(prefix, self)]
        while todo:
            path, module = todo.pop()
            if remove_duplicate and id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            below = [(f"{path}.{n}" if path else n, m) for n, m in module.named_children()]
            todo.extend(reversed(below))

    def modules(self) -> Iterator[Module]:
        for _, module in self.named_modules():
            yield module

    def _named(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        everywhere = self.named_modules(prefix, remove_duplicate)
        for path, module in everywhere if recurse else [(prefix, self)]:
            for name, value in getattr(module, table).items():
                if value is not None and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """("hidden.weight", parameter) and so on, each parameter once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module at a path: net.get_submodule("hidden.0") is net.hidden[0]; "" is net."""
        module = self
        for name in target.split(".") if target else []:
            below = module._modules.get(name)
            if below is None:
                raise AttributeError(
                    f"get_submodule: {target!r}: {type(module).__name__} has no module {name!r}"
                )
            module = below
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path, as "hidden.weight"."""
        return self._get("_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path, as "norm.running_mean"."""
        return self._get("_buffers", target)

    def _get(self, table: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        value = getattr(module, table).get(name)
        if value is None:
            kind = {"_parameters": "parameter", "_buffers": "buffer"}[table]
            raise AttributeError(
                f"get_{kind}: {target!r}: {type(module).__name__} has no {kind} {name!r}"
            )
        return value

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Calls fn with every module below this one, children first, and with this one last."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ---- state ------------------------------------------------------------------------------

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> OrderedDict[str, Tensor]:
        """Every parameter and persistent buffer by name: tensors on the same bytes.

        They are apart from the tape, or with keep_vars the parameters themselves. One that is
        shared has all of its names. prefix is put before each, as it stands.
        """
        return state.listed(self, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> state.LoadResult:
        """Writes the values of state_dict into the parameters and buffers of the same names.

        With assign its tensors themselves become the parameters and buffers, in their dtypes and
        on their devices: make the optimiser after.

        A value is a tensor, or anything that NumPy can read. Raises RuntimeError, having written
        nothing, if a shape does not fit, or, if strict, if a name is missing or unexpected. The
        text lists them all.
        """
        if assign:
            Changes.count += 1
        return state.load(self, state_dict, strict, assign)

    def train(self: M, mode: bool = True) -> M:
        """Sets `training`, here and below; some layers work differently in training."""
        if not isinstance(mode, bool):
            raise placed(
                ValueError, f"train: mode must be True or False, not {type(mode).__name__}"
            )
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
        optimiser after. Those that were shared still are. Raises TypeError for an integer dtype.
        """
        state.move(self, target, named)
        Changes.count += 1
        return self

    def float(self: M) -> M:
        return self.to(_C.float32)

    def half(self: M) -> M:
        return self.to(_C.float16)

    def bfloat16(self: M) -> M:
        return self.to(_C.bfloat16)

    def double(self: M) -> M:
        return self.to(_C.float64)

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
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        parts = [f"({name}): {module!r}" for name, module in self._modules.items()]
        return repr_of(self, lines, parts)


def repr_of(module: Module, lines: list[str], parts: list[str]) -> str:
    """Name(line), or the lines and parts below each other, two columns in."""
    name = type(module).__name__
    if not parts and len(lines) <= 1:
        return f"{name}({''.join(lines)})"
    below = [text.replace("\n", "\n  ") for text in [*lines, *parts]]
    return f"{name}(\n  " + "\n  ".join(below) + "\n)"
