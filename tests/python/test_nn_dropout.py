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


def test_dropout_refuses_what_is_no_probability():
    for make in (nn.Dropout, lambda p: F.dropout(tg.ones(1), p)):
        with pytest.raises(ValueError, match="ropout: p is a probability, 0 to 1, and not 1.5"):
            make(1.5)


def test_a_compiled_dropout_draws_the_tapes_numbers_and_new_ones_each_call():
    x = tg.ones(20, requires_grad=True)
    net = nn.Sequential(nn.Dropout(0.3), nn.Dropout(0.6))
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
