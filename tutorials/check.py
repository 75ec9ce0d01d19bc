"""What the notebooks share: results that are checked, and exercises; check.h is its twin."""

from __future__ import annotations

from typing import Any, Callable

import tapegraph as tg

_counts = {"solved": 0, "exercises": 0}


def yes_no(yes: bool) -> str:
    return "yes" if yes else "no"


def digits(x: Any) -> str:
    """All nine digits that tell one float32 from the next."""
    return f"{float(x):.9g}"


def rounded(x: Any) -> str:
    """With four digits behind the point."""
    return f"{float(x):.4f}"


def block(lines: str) -> None:
    """Prints lines that end with their own line ends, such as a tape's."""
    print(lines, end="")


def check(holds: bool) -> None:
    """A lesson's own claim."""
    if not holds:
        raise AssertionError("this does not hold")


def error_of(f: Callable[[], Any]) -> str:
    """The text of the error that f ends with."""
    try:
        f()
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        return str(error)
    return "no error"


# ---- exercises ----------------------------------------------------------------------------------


class NotSolvedError(Exception):
    pass


class WrongError(Exception):
    pass


def not_solved() -> Any:
    raise NotSolvedError


def text_of(x: Any) -> str:
    """As it prints; numbers with six digits, as in C++."""
    if isinstance(x, bool):
        return yes_no(x)
    if isinstance(x, float):
        return f"{x:.6g}"
    if isinstance(x, (list, tuple)) and not isinstance(x, str):
        parts = ", ".join(text_of(part) for part in x)
        return f"({parts},)" if len(x) == 1 else f"({parts})"
    return repr(x) if isinstance(x, tg.Tensor) else str(x)


def expect(got: Any, wanted: Any, hint: str) -> None:
    """Two things are equal if they print alike."""
    if text_of(got) != text_of(wanted):
        raise WrongError(f"got {text_of(got)}, but it is {text_of(wanted)}. Hint: {hint}")


def exercise(title: str, checks: Callable[[], None]) -> None:
    _counts["exercises"] += 1
    number = _counts["exercises"]
    try:
        checks()
    except NotSolvedError:
        print(f"{number}. {title}: not solved yet")
    except WrongError as answer:
        print(f"{number}. {title}: wrong: {answer}")
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        print(f"{number}. {title}: wrong: it ended with an error: {error}")
    else:
        _counts["solved"] += 1
        print(f"{number}. {title}: solved")


def done() -> None:
    """The last line; the next exercise is number 1 again."""
    print(f"{_counts['solved']} of {_counts['exercises']} solved")
    _counts.update(solved=0, exercises=0)
