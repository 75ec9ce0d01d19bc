"""Errors that are raised in Python name the user's line, as those of the core do."""

from __future__ import annotations

from typing import TypeVar

from ._C import _placed

_Error = TypeVar("_Error", bound=Exception)


def placed(kind: type[_Error], text: str) -> _Error:
    """The error to raise; "SGD: lr is .." becomes "SGD (train.py:3): lr is .."."""
    return kind(_placed(text))
