"""What record_indexing.py and its test begin and end with; t is PyTorch or tapegraph."""


def values(t):
    """The numbers that the texts name."""
    x = t.tensor([(7 * n % 24) / 4 - 1 + n / 64 for n in range(24)], dtype=t.float64)
    w = t.tensor([0.5, -1.25, 2.0, 3.5], dtype=t.float64)
    return {
        "t": t,
        "x": x.reshape(2, 3, 4).detach().requires_grad_(),
        "w": w.requires_grad_(),
        "i": t.tensor([1, 0, 1]),
        "j": t.tensor([2, 0, 1]),
        "k": t.tensor([3, 0, 2]),
        "s": t.tensor(1),
        "m": t.tensor([[True, False, True], [False, True, False]]),
        "r": t.tensor([False, True]),
    }


def derivatives(t, y, inputs):
    """Of a sum of weighed squares by inputs, and then of the sum of the squares of these."""
    weights = t.tensor([(n % 7 + 1) / 8 for n in range(y.numel())], dtype=t.float64)
    loss = (y * y * weights.reshape(y.shape)).sum()
    first = t.autograd.grad([loss], inputs, create_graph=True, allow_unused=True)
    total = sum((g * g).sum() for g in first if g is not None)
    second = t.autograd.grad([total], inputs, allow_unused=True) if total.requires_grad else ()
    return [*first, *second]
