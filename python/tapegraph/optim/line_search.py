"""How far to go along a direction: until the loss and its slope have both become small enough."""

from __future__ import annotations

import math
from typing import Callable

from .._C import Tensor

Point = tuple[float, float, Tensor, float]  # t, the loss, its gradient, its slope along d


def strong_wolfe(
    loss_at: Callable[[float], tuple[float, Tensor]], t: float, d: Tensor, loss: float, g: Tensor,
    slope: float, c1: float = 1e-4, c2: float = 0.9, tolerance: float = 1e-9, most: int = 25,
) -> tuple[float, Tensor, float, int]:  # fmt: skip
    """The loss, its gradient and t where f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)|, and
    how often loss_at was called. First t grows until such a t lies between two, then they close in.

    [Nocedal & Wright 2006, Numerical optimization, algorithms 3.5 and 3.6]
    """

    def point(t: float) -> Point:
        value, gradient = loss_at(t)
        return t, value, gradient, (gradient @ d).item()

    def enough(p: Point) -> bool:
        return abs(p[3]) <= -c2 * slope

    def too_high(p: Point) -> bool:
        return p[1] > loss + c1 * p[0] * slope

    start: Point = (0.0, loss, g, slope)
    before, now, steps = start, point(t), 0
    calls = 1
    low, high = start, now
    while steps < most:
        if too_high(now) or (steps > 1 and now[1] >= before[1]):
            low, high = before, now
            break
        if enough(now):
            return now[1], now[2], now[0], calls
        if now[3] >= 0:
            low, high = before, now
            break
        bounds = (now[0] + 0.01 * (now[0] - before[0]), now[0] * 10)
        t = _least_of_cubic(before, now, bounds)
        before, now = now, point(t)
        calls += 1
        steps += 1
    else:
        low, high = start, now
    if low[1] > high[1]:
        low, high = high, low
    width = d.abs().max().item()
    stuck = False
    while steps < most and abs(high[0] - low[0]) * width >= tolerance:
        left, right = min(low[0], high[0]), max(low[0], high[0])
        t = _least_of_cubic(low, high, (left, right))
        t, stuck = _inside(t, left, right, stuck)
        now = point(t)
        calls += 1
        steps += 1
        if too_high(now) or now[1] >= low[1]:
            high = now
            if low[1] > high[1]:
                low, high = high, low
            continue
        if enough(now):
            low = now
            break
        if now[3] * (high[0] - low[0]) >= 0:
            high = low
        low = now
    return low[1], low[2], low[0], calls


def _inside(t: float, left: float, right: float, stuck: bool) -> tuple[float, bool]:
    """t not too near to an end twice in a row: then a tenth of the way from it."""
    tenth = 0.1 * (right - left)
    if min(right - t, t - left) >= tenth:
        return t, False
    if stuck or t >= right or t <= left:
        return (right - tenth if abs(t - right) < abs(t - left) else left + tenth), False
    return t, True


def _least_of_cubic(p: Point, q: Point, bounds: tuple[float, float]) -> float:
    """Where the cubic through two points with these slopes is least, within the bounds."""
    a, b = (p, q) if p[0] <= q[0] else (q, p)
    d1 = p[3] + q[3] - 3 * (p[1] - q[1]) / (p[0] - q[0])
    square = d1 * d1 - p[3] * q[3]
    if not square >= 0:
        return (bounds[0] + bounds[1]) / 2
    d2 = math.sqrt(square)
    t = b[0] - (b[0] - a[0]) * ((b[3] + d2 - d1) / (b[3] - a[3] + 2 * d2))
    return min(max(t, bounds[0]), bounds[1])
