"""detect_anomaly: stops at the first NaN or infinity, and says where it came from."""

from __future__ import annotations

from typing import Any

from .. import _C


class set_detect_anomaly:
    """Sets at once whether every result is looked over; as a context manager, until the block ends.

    In forward and backward alike, the first op whose result has a NaN, or an infinity although its
    inputs were finite, raises RuntimeError: it names the op and its line, in a backward also the
    line of backward() and the op that is differentiated, and says what was in the inputs. An
    infinity that comes in, as of a mask, may go out; so may a NaN that is only printed, copied,
    cast or picked out. A compiled function then runs line by line, as it was written. Holds for all
    threads, and costs a look at every number. With check_nan=False nothing is looked over.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _C.is_anomaly_enabled()
        _C._set_detect_anomaly(mode and check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        _C._set_detect_anomaly(self._before)


class detect_anomaly:
    """`with detect_anomaly():` looks over every result of the block. See set_detect_anomaly."""

    def __init__(self, check_nan: bool = True) -> None:
        self._check = check_nan
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(_C.is_anomaly_enabled())
        _C._set_detect_anomaly(self._check)

    def __exit__(self, *error: Any) -> None:
        _C._set_detect_anomaly(self._before.pop())
