"""Nested tuples, named tuples, lists and dicts, with anything else as their leaves."""

from __future__ import annotations

from typing import Any, Callable


def is_branch(tree: Any) -> bool:
    return isinstance(tree, (tuple, list, dict))


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same tree with function(leaf) for each leaf, in the order of leaves(tree)."""
    if isinstance(tree, dict):
        return type(tree)((key, mapped(function, part)) for key, part in tree.items())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(mapped(function, part) for part in tree))
    if isinstance(tree, (tuple, list)):
        return type(tree)(mapped(function, part) for part in tree)
    return function(tree)


def filled(tree: Any, values: list[Any]) -> Any:
    """The same tree with these leaves."""
    rest = iter(values)
    return mapped(lambda _: next(rest), tree)


def spread(prefix: Any, tree: Any) -> list[Any] | None:
    """By leaf of tree what prefix, the same tree cut off here and there, says; None if it does not
    fit."""
    if not is_branch(prefix):
        return [prefix] * len(leaves(tree))
    if isinstance(prefix, dict):
        if not isinstance(tree, dict) or prefix.keys() != tree.keys():
            return None
        pairs = [(prefix[key], part) for key, part in tree.items()]
    else:
        if not isinstance(tree, (tuple, list)) or len(prefix) != len(tree):
            return None
        pairs = list(zip(prefix, tree))
    found: list[Any] = []
    for part, under in pairs:
        below = spread(part, under)
        if below is None:
            return None
        found += below
    return found
