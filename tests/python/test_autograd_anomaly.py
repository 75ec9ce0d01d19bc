"""detect_anomaly: the first NaN or infinity, where it came from, and what it was made of."""

import re

import pytest
import tapegraph as tg
from tapegraph.autograd import detect_anomaly, set_detect_anomaly
from values import leaf


def text_of(error):
    """The text, with lines left out."""
    return re.sub(r"\(test_autograd_anomaly\.py:\d+\)", "(LINE)", str(error.value))


def test_in_forward():
    w = leaf(1.0, -4.0, 9.0)
    with detect_anomaly(), pytest.raises(RuntimeError) as error:
        (w * 1).sqrt()
    assert text_of(error) == (
        "detect_anomaly: sqrt (LINE) gave nan at index (1,): its output is float32 (3,), 1 nan, "
        "the rest from 1 to 3; its input 0 is float32 (3,) from -4 to 9"
    )
    with detect_anomaly(), pytest.raises(RuntimeError) as error:
        1.0 / tg.tensor([[1.0, 0.0]])
    assert text_of(error) == (
        "detect_anomaly: div (LINE) gave inf at index (0, 1): its output is float32 (1, 2), "
        "1 infinity, the rest from 1 to 1; its input 0 is the number 1; its input 1 is float32 "
        "(1, 2) from 0 to 1"
    )


def test_in_backward_with_both_lines():
    w = leaf(0.0, 4.0)
    with detect_anomaly():
        y = w.sqrt()
        with pytest.raises(RuntimeError) as error:
            y.sum().backward()
    text = text_of(error)
    assert text.startswith(
        "detect_anomaly: div, in the gradient of sqrt (LINE) that the backward (LINE) took, gave "
        "inf at index (0,): "
    )
    assert "its input 1 is float32 (2,) from 0 to 4" in text
    lines = re.findall(r"test_autograd_anomaly\.py:(\d+)", str(error.value))
    assert int(lines[1]) == int(lines[0]) + 2


def test_an_infinity_may_pass_and_a_nan_may_not():
    mask = tg.tensor([[0.0, float("-inf")]])
    with detect_anomaly():
        scores = tg.ones(1, 2) + mask
        assert scores.softmax(-1).tolist() == [[1, 0]]
        tg.ones(2).masked_fill(tg.tensor([True, False]), float("-inf"))
        with pytest.raises(RuntimeError, match=r"gave nan at index \(0, 1\).*1 infinity"):
            scores - mask
        with pytest.raises(RuntimeError, match="its input 0 is float32 .*, 1 nan"):
            tg.tensor([float("nan")]) * 2


def test_nothing_is_said_where_it_is_off():
    w = leaf(-1.0)
    assert not tg.autograd.is_anomaly_enabled()
    assert w.sqrt().isnan().item()
    with detect_anomaly(check_nan=False):
        assert w.sqrt().isnan().item()
    with set_detect_anomaly(True):
        assert tg.autograd.is_anomaly_enabled()
        with set_detect_anomaly(False):
            assert w.sqrt().isnan().item()
        with pytest.raises(RuntimeError):
            w.sqrt()
    assert not tg.autograd.is_anomaly_enabled()
    set_detect_anomaly(True)
    assert tg.autograd.is_anomaly_enabled()
    set_detect_anomaly(False)
    assert w.sqrt().isnan().item()


def test_in_a_compiled_function(executor):
    compiled = tg.compile(lambda x: (x * 2 - 1).sqrt().exp().sum(), executor=executor)
    good, bad = leaf(1.0, 2.0), leaf(1.0, 0.0)
    compiled(bad)
    with detect_anomaly():
        assert compiled(good).item() == (good * 2 - 1).sqrt().exp().sum().item()
        with pytest.raises(RuntimeError) as error:
            compiled(bad)
        assert text_of(error).startswith("detect_anomaly: sqrt (LINE) gave nan at index (1,)")
        edge = leaf(0.5, 1.0)
        y = compiled(edge)
        with pytest.raises(RuntimeError, match=r"gave inf at index \(0,\)"):
            y.backward()


def test_in_a_session():
    with tg.Graph() as graph:
        x = tg.placeholder("x", [2])
        y = x.log()
    session = tg.Session(graph)
    with detect_anomaly(), pytest.raises(RuntimeError) as error:
        session.run(y, {x: [1.0, -1.0]})
    assert text_of(error).startswith("detect_anomaly: log (LINE) gave nan at index (1,)")
    assert session.run(y, {x: [1.0, 1.0]}).tolist() == [0, 0]


def test_in_an_op_of_ones_own():
    class Root(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g / ctx.saved_tensors[0]

    with detect_anomaly(), pytest.raises(RuntimeError) as error:
        Root.apply(leaf(0.0)).sum().backward()
    assert "div, in the gradient of Root (LINE) that the backward (LINE) took" in text_of(error)


def test_who_only_moves_a_nan_has_not_made_it():
    x = tg.tensor([[1.0, float("nan")], [2.0, 3.0]])
    with detect_anomaly():
        assert repr(x) == "tensor([[ 1., nan],\n        [ 2.,  3.]])"
        for y in (x.clone(), x.double(), x.t().contiguous(), tg.cat([x, x]), x[tg.tensor([0])]):
            assert y.isnan().any()
        with pytest.raises(RuntimeError, match="mul .*gave nan at index"):
            x * 2
