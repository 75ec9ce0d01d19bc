"""How a case of ops_recorded.json is read: record_ops.py with PyTorch, the test with tapegraph.

t is either of the two, for tapegraph has PyTorch's names.
"""

import math


def fill(t, shape, k):
    """Exact in binary, of both signs, and another one for another k."""
    values = [((7 * i * i + 3 * i + 5 * k) % 31 - 15.5) / 16 for i in range(math.prod(shape))]
    return t.tensor(values, dtype=t.float64).reshape(list(shape))


def leaves_of(t, shapes):
    return [fill(t, shape, k).requires_grad_() for k, shape in enumerate(shapes)]


def outputs_of(t, expression, leaves):
    """The tensors that an expression of t, its functional F, the leaves x y z and others gives."""
    inf, nan = math.inf, math.nan
    names = {
        "t": t,
        "F": t.nn.functional,
        "i": t.arange(6).reshape(2, 3),
        "j": t.tensor([1, 2, 3]),
        "b": t.arange(6).reshape(2, 3) % 2 == 0,
        "odd": t.tensor([0.0, -0.0, nan, inf, -inf, -1.5], dtype=t.float64),
        **dict(zip("xyz", leaves)),
    }
    value = eval(expression, names)
    return list(value) if isinstance(value, (tuple, list)) else [value]


def loss_of(t, outputs):
    """The sum of the outputs with weights, or None if nothing requires a gradient."""
    losses = [
        (o * fill(t, o.shape, 11 + k)).sum() for k, o in enumerate(outputs) if o.requires_grad
    ]
    return sum(losses) if losses else None
