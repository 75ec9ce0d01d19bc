"""ParameterDict: parameters by name."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from .._C import Tensor
from .containers import _parameter
from .module import Module, repr_of
from .parameter import Parameter


class ParameterDict(Module):
    """A dict whose parameters are part of the model. A tensor becomes a parameter."""

    def __init__(self, parameters: Mapping[str, Tensor] | Iterable[Any] | None = None) -> None:
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Parameter:
        return self._parameters[key]

    def __setitem__(self, key: str, value: Tensor) -> None:
        self.register_parameter(key, _parameter(value))

    def __delitem__(self, key: str) -> None:
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._parameters))

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def keys(self) -> KeysView[str]:
        return self._parameters.keys()

    def values(self) -> ValuesView[Any]:
        return self._parameters.values()

    def items(self) -> ItemsView[str, Any]:
        return self._parameters.items()

    def get(self, key: str, default: Any = None) -> Any:
        return self._parameters.get(key, default)

    def update(self, parameters: Mapping[str, Tensor] | Iterable[Any]) -> None:
        """Takes over all of a mapping, or of (name, tensor) pairs."""
        for key, value in dict(parameters).items():
            self[key] = value

    def pop(self, key: str) -> Parameter:
        value = self[key]
        del self[key]
        return value

    def clear(self) -> None:
        for key in self:
            del self[key]

    def __repr__(self) -> str:
        parts = [
            f"({key}): Parameter containing: [{p.dtype} of size {'x'.join(map(str, p.shape))}]"
            for key, p in self.items()
        ]
        return repr_of(self, [], parts)
