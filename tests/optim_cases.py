"""What record_optim.py does with PyTorch and its test with tapegraph: m is either of the two."""


def gradient(t, n):
    """Exact in binary, of both signs, and at times 0."""
    return [((7 * t + 3 * i) % 11 - 5) / 8 for i in range(n)]


def make_schedule(m, optimizer, name, options):
    options = dict(options)
    if "lr_lambda" in options:
        assert options["lr_lambda"] == "1 / (1 + t)"
        options["lr_lambda"] = lambda t: 1 / (1 + t)
    if "schedulers" in options:
        options["schedulers"] = [make_schedule(m, optimizer, *s) for s in options["schedulers"]]
    if name == "SWALR":
        return m.optim.swa_utils.SWALR(optimizer, **options)
    given = [] if name == "ChainedScheduler" else [optimizer]
    return getattr(m.optim.lr_scheduler, name)(*given, **options)


def two_groups(m, kind):
    """An optimiser of that name with rates 0.1 and 0.2."""
    a, b = m.zeros(1, requires_grad=True), m.zeros(1, requires_grad=True)
    return getattr(m.optim, kind)([{"params": [a]}, {"params": [b], "lr": 0.2}], lr=0.1)
