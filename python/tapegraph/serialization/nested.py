"""Dicts, lists and tuples as JSON, and as what they were: what holds the tensors of a file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._C import Tensor
from .safetensors import META, strict_json

_DEEPEST = 64  # containers in containers


def taken_apart(obj: Any) -> tuple[dict[str, Tensor], str | None]:
    """The tensors by name, and the structure that holds them; None for a dict of tensors."""
    if isinstance(obj, Mapping) and all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in obj.items()
    ):
        if META in obj:
            raise ValueError(f"save: no tensor can have the name {META}")
        return dict(obj), None
    tensors: dict[str, Tensor] = {}
    names: dict[int, str] = {}
    tree = _encoded(obj, "", 0, tensors, names)
    return tensors, json.dumps(tree, separators=(",", ":"), allow_nan=False)


def _encoded(
    value: Any, at: str, depth: int, tensors: dict[str, Tensor], names: dict[int, str]
) -> Any:
    """JSON of one value: null, true, numbers, strings and lists stand for themselves, and what JSON
    lacks is an object with one key that says what it is."""
    if depth > _DEEPEST:
        raise ValueError(
            f"save: {at[:60]}... is more than {_DEEPEST} containers deep; does one hold itself?"
        )
    if isinstance(value, Tensor):
        if id(value) not in names:
            name = at or "tensor"
            while name in tensors or name == META:  # the path "a.b" of {"a.b": x, "a": {"b": y}}
                name += "'"
            names[id(value)], tensors[name] = name, value
        return {"tensor": names[id(value)]}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, Mapping):
        pairs = []
        for key, item in value.items():
            if key is not None and type(key) not in (bool, int, float, str):
                raise TypeError(
                    f"save: {at or 'the dict'} has a key of type {type(key).__name__}; keys are "
                    f"strings, numbers, bools or None"
                )
            below = f"{at}.{key}" if at else str(key)
            saved = _encoded(key, below, depth + 1, tensors, names)
            pairs.append([saved, _encoded(item, below, depth + 1, tensors, names)])
        return {"dict": pairs}
    if isinstance(value, (list, tuple)):
        items = [
            _encoded(item, f"{at}.{i}" if at else str(i), depth + 1, tensors, names)
            for i, item in enumerate(value)
        ]
        return items if isinstance(value, list) else {"tuple": items}
    hint = ""
    if hasattr(value, "state_dict"):
        hint = "; save its state_dict()"
    elif hasattr(value, "get_state"):
        hint = "; save its get_state()"
    elif isinstance(value, np.ndarray):
        hint = "; tg.tensor makes a tensor of it"
    raise TypeError(f"save: {at or 'it'} is a {type(value).__name__}, which cannot be saved{hint}")


def put_together(structure: str, tensors: dict[str, Tensor], name: str) -> Any:
    name = f"{name}: the structure"
    return _decoded(strict_json(structure, name), tensors, 0, name)


def _decoded(node: Any, tensors: dict[str, Tensor], depth: int, name: str) -> Any:
    """The value that _encoded made this JSON of."""
    if depth > _DEEPEST:
        raise ValueError(f"{name} is more than {_DEEPEST} containers deep")
    if isinstance(node, list):
        return [_decoded(item, tensors, depth + 1, name) for item in node]
    if not isinstance(node, dict):
        return node
    kind, value = next(iter(node.items())) if len(node) == 1 else ("", None)
    if kind == "tensor" and isinstance(value, str):
        if value not in tensors:
            raise ValueError(f"{name} names a tensor {value[:60]!r}, which is not there")
        return tensors[value]
    if kind == "float" and value in ("nan", "inf", "-inf"):
        return float(value)
    if kind == "tuple" and isinstance(value, list):
        return tuple(_decoded(item, tensors, depth + 1, name) for item in value)
    if kind == "dict" and isinstance(value, list):
        made = {}
        for pair in value:
            if not isinstance(pair, list) or len(pair) != 2:
                raise ValueError(f"{name}: {str(pair)[:60]} is no key and value")
            key = _decoded(pair[0], tensors, depth + 1, name)
            if isinstance(key, (Tensor, list, dict, tuple)):
                raise ValueError(f"{name}: {str(pair[0])[:60]} is no key")
            if key in made:
                raise ValueError(f"{name}: the key {str(key)[:60]!r} is there twice")
            made[key] = _decoded(pair[1], tensors, depth + 1, name)
        return made
    raise ValueError(f"{name}: {str(node)[:60]} stands for nothing")
