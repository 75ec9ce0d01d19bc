"""What tests of gradients begin with: a tensor of some numbers that requires one."""

import tapegraph as tg


def leaf(*values, dtype=None):
    return tg.tensor(list(values), dtype=dtype, requires_grad=True)


def leaf64(*values, dtype=tg.float64):
    """For comparisons with differences, which need the digits."""
    return leaf(*values, dtype=dtype)
