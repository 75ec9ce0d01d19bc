"""Dropout: its mean, and the numbers that a compiled one draws."""

import numpy as np
import pytest
import tapegraph as tg
import tapegraph.nn.functional as F
from tapegraph import nn


def test_dropout_keeps_the_mean_and_is_nothing_in_eval():
    tg.manual_seed(0)
    x = tg.ones(100, 100, requires_grad=True)
    layer = nn.Dropout(0.2)
    y = layer(x)
    values = np.unique(y.detach().numpy())
    np.testing.assert_allclose(values, [0, 1.25], rtol=1e-6)
    assert abs(y.mean().item() - 1) < 0.02
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    assert layer.eval()(x) is x and F.dropout(x, 0.0) is x
    assert F.dropout(x, 1.0).sum().item() == 0
    z = tg.ones(4)
    assert nn.Dropout(inplace=True)(z) is z and set(z.tolist()) <= {0.0, 2.0}


@pytest.mark.parametrize(
    ("kind", "shape", "first"),
    [
        ("1d", (20, 30, 4), 2), ("1d", (300, 4), 1), ("2d", (20, 30, 2, 3), 2),
        ("2d", (20, 30, 5), 2), ("3d", (20, 30, 2, 2, 2), 2), ("3d", (300, 2, 2, 2), 1),
    ],
)  # fmt: skip
def test_whole_channels_are_dropped(kind, shape, first):
    tg.manual_seed(0)
    x = tg.ones(*shape, requires_grad=True)
    layer = getattr(nn, f"Dropout{kind}")(0.25)
    y = layer(x)
    rows = y.detach().reshape(*shape[:first], -1).numpy()
    assert (rows == rows[..., :1]).all()  # a channel is one thing
    np.testing.assert_allclose(np.unique(rows), [0, 4 / 3], rtol=1e-6)
    assert abs(rows.mean() - 1) < 0.15
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    assert layer.eval()(x) is x
    z = tg.ones(*shape)
    assert getattr(F, f"dropout{kind}")(z, 0.5, inplace=True) is z and (z == 0).any()


def test_alpha_dropout_keeps_mean_and_variance():
    tg.manual_seed(0)
    x = tg.randn(400, 100)
    for layer in (nn.AlphaDropout(0.3), nn.FeatureAlphaDropout(0.3)):
        y = layer(x)
        assert abs(y.mean().item()) < 0.03 and abs(y.var().item() - 1) < 0.05
        assert layer.eval()(x) is x
    # Of ones: 1 or selu's least number, times a, and b: PyTorch 2.15 gives these two for p = 0.5.
    a = tg.ones(1000)
    (low, high), counts = np.unique(F.alpha_dropout(a, 0.5, True).numpy(), return_counts=True)
    assert abs(counts[0] - 500) < 80
    np.testing.assert_allclose([low, high], [-0.77919394, 1.6655989], rtol=1e-6)
    assert F.alpha_dropout(a, 1.0, True).tolist() == [0] * 1000 and F.alpha_dropout(a) is a
    channels = F.feature_alpha_dropout(tg.ones(8, 8, 5), 0.5, True).numpy()
    assert (channels == channels[..., :1]).all() and len(np.unique(channels)) == 2


def test_dropout_refuses_what_is_no_probability():
    for make in (nn.Dropout, lambda p: F.dropout(tg.ones(1), p)):
        with pytest.raises(ValueError, match="ropout: p is a probability, 0 to 1, and not 1.5"):
            make(1.5)
    for name in ("Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"):
        with pytest.raises(ValueError, match=f"{name}: p is a probability"):
            getattr(nn, name)(-0.5)
    for call, text in (
        (lambda: F.dropout1d(tg.ones(3)), "must be .N, C, L. or .C, L."),
        (lambda: F.dropout2d(tg.ones(3)), "must be .N, C"),
        (lambda: F.dropout3d(tg.ones(3, 3)), "must be .N, C, D, H, W. or"),
        (lambda: F.feature_alpha_dropout(tg.ones(3), 0.5, True), "must be .N, C"),
    ):
        with pytest.raises(RuntimeError, match=text):
            call()


def test_a_compiled_dropout_draws_the_tapes_numbers_and_new_ones_each_call():
    x = tg.ones(20, requires_grad=True)
    net = nn.Sequential(nn.Dropout(0.3), nn.Dropout(0.6), nn.AlphaDropout(0.2))
    runs = []
    for f in (net, tg.compile(net)):
        tg.manual_seed(7)
        draws = []
        for _ in range(3):
            x.grad = None
            y = f(x)
            y.sum().backward()
            draws.append((y.tolist(), x.grad.tolist()))
        runs.append(draws)
    assert runs[0] == runs[1] and runs[0][0] != runs[0][1]
