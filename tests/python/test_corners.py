"""Corners of arguments: the exceptions and values are PyTorch 2.15's."""

import math

import pytest
import tapegraph as tg

F = tg.nn.functional
nan = math.nan
t = tg.tensor


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.argmax(dim=7),
        lambda x: x.argmin(dim=-2),
        lambda x: x.max(dim=7),
        lambda x: x.min(7),
        lambda x: x.softmax(7),
        lambda x: x.log_softmax(5),
        lambda x: x.flatten(0, 7),
        lambda x: x.topk(1, 3),
        lambda x: x.sum(-2),
        lambda x: x.sort(dim=7),
        lambda x: x.cumsum(7),
    ],
)
def test_a_tensor_of_no_dims_has_only_dim_0(call):
    with pytest.raises(IndexError, match=r"dim -?\d is outside -1\.\.0 of a tensor with 0 dims"):
        call(t(2.5))


def test_dim_0_of_a_tensor_of_no_dims_is_the_tensor():
    x = t(2.5)
    assert x.argmax(dim=0).item() == 0 and x.max(dim=-1).values.item() == 2.5
    assert x.softmax(0).item() == 1 and x.flatten(0, -1).tolist() == [2.5]
    assert x.topk(1, 0).values.item() == 2.5


@pytest.mark.parametrize(
    "call",
    [
        lambda m: 1 - m,
        lambda m: m - 1,
        lambda m: m - 1.5,
        lambda m: m - t([1]),
        lambda m: t([1.0]) - m,
        lambda m: m - m,
    ],
)
def test_bools_are_not_subtracted(call):
    with pytest.raises(NotImplementedError, match="sub .*bool"):
        call(t([True, False]))


def test_a_nan_is_a_bound_that_nothing_is_within():
    x = t([1.0, 2.0])
    for y in (x.clamp(nan, 3.0), x.clamp(max=nan), x.clamp(min=t(nan)), t([1, 2]).clamp(nan)):
        assert y.isnan().all()
    y = x.clamp(min=t([nan, 3.0]), max=t([1.0, 2.5]))
    assert math.isnan(y.tolist()[0]) and y.tolist()[1] == 2.5
    y = t([nan, 1.0, 5.0]).clamp(0.0, 2.0)
    assert math.isnan(y.tolist()[0]) and y.tolist()[1:] == [1, 2]


def test_an_index_of_no_dims_gathers_one_element():
    x = t([1.0, 2.0], requires_grad=True)
    y = tg.gather(x, 0, t(1))
    assert y.shape == () and y.item() == 2
    y.backward()
    assert x.grad.tolist() == [0, 1]
    assert tg.gather(t(1.0), 0, t([0, 0])).tolist() == [1, 1]
    assert tg.gather(t(1.0), 0, t(0)).item() == 1
    assert tg.zeros(3).scatter(0, t(1), t(2.0)).tolist() == [0, 2, 0]
    assert tg.zeros(3).scatter_add(0, t(1), t(2.0)).tolist() == [0, 2, 0]


def test_mistakes_have_the_types_of_exception_that_pytorch_gives_them():
    soft = tg.ones(2, 3) / 3
    with pytest.raises(RuntimeError, match="cross_entropy .*ignore_index is 1, but the target has"):
        F.cross_entropy(tg.zeros(2, 3), soft, ignore_index=1)
    assert F.cross_entropy(tg.zeros(2, 3), soft).item() == pytest.approx(math.log(3))
    with pytest.raises(ValueError, match="cross_entropy .*do not fit"):
        F.cross_entropy(tg.zeros(2, 3), t(1))
    with pytest.raises(RuntimeError, match="stack .*an empty list"):
        tg.stack([])
    with pytest.raises(IndexError, match="not dict"):
        tg.ones(2)[{}]
    q = tg.zeros(1, 2, 2)
    with pytest.raises(RuntimeError, match="p is a probability, 0 to 1, and not 1.5"):
        F.scaled_dot_product_attention(q, q, q, dropout_p=1.5)
    with pytest.raises(AssertionError, match="Embedding: padding_idx 7 is outside of the 3 rows"):
        tg.nn.Embedding(3, 2, padding_idx=7)


def test_a_layer_of_no_channels_can_be_made():
    layer = tg.nn.Conv2d(0, 1, 3)
    assert layer.weight.shape == (1, 0, 3, 3)


def test_the_tails_of_gelu_and_elu_keep_their_digits():
    x = t([-6.0, -8.0, -9.0])
    u = [math.sqrt(2 / math.pi) * (v + 0.044715 * v**3) for v in (-6.0, -8.0, -9.0)]
    exact = [v / (1 + math.exp(-2 * w)) for v, w in zip((-6.0, -8.0, -9.0), u)]
    found = F.gelu(x, approximate="tanh").tolist()
    assert found == pytest.approx(
        exact, rel=3e-5
    )  # e^-100 of a float: 2^-24 of 100 in the exponent
    x = t([-5.0, -20.0, -40.0], requires_grad=True)
    F.elu(x).sum().backward()
    assert x.grad.tolist() == pytest.approx([math.exp(v) for v in (-5, -20, -40)], rel=1e-6)
