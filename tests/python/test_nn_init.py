"""nn.init: bounds, spreads, gains, and errors."""

import math

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn
from tapegraph.nn import init


@pytest.fixture(autouse=True)
def seed():
    tg.manual_seed(0)


def test_values_are_written_and_the_tensor_is_given_back():
    w = tg.empty(2, 3, requires_grad=True)
    assert init.constant_(w, 2.0) is w and w.tolist() == [[2] * 3] * 2
    assert init.zeros_(w).sum().item() == 0 and init.ones_(w).sum().item() == 6
    assert init.eye_(w).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert w.is_leaf and w.requires_grad
    with pytest.raises(ValueError) as error:
        init.eye_(tg.ones(2))
    assert said(error) == "eye_: a tensor of 2 dims, not (2,)"


@pytest.mark.parametrize(
    ("fill", "spread"),
    [
        (lambda w: init.xavier_uniform_(w, 2.0), 2 * math.sqrt(2 / 250)),
        (init.xavier_normal_, math.sqrt(2 / 250)),
        (init.kaiming_uniform_, math.sqrt(2 / 150)),
        (lambda w: init.kaiming_uniform_(w, a=math.sqrt(5)), math.sqrt(1 / 3 / 150)),
        (lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="tanh"), 5 / 3 / 10),
        (lambda w: init.kaiming_normal_(w, nonlinearity="linear"), math.sqrt(1 / 150)),
        (lambda w: init.normal_(w, 0, 0.3), 0.3),
        (lambda w: init.uniform_(w, -1, 1), 1 / math.sqrt(3)),
    ],
)
def test_the_spread_of_a_weight_is_the_formulas(fill, spread):
    w = fill(tg.empty(100, 150)).numpy()
    assert abs(w.std() / spread - 1) < 0.02 and abs(w.mean()) < 0.05 * spread
    kernel = fill(tg.empty(100, 50, 3)).numpy()
    assert kernel.std() > 0


def test_uniform_weights_reach_their_bound_and_no_further():
    w = np.abs(init.xavier_uniform_(tg.empty(100, 150)).numpy())
    assert 0.99 < w.max() / math.sqrt(6 / 250) <= 1
    w = np.abs(init.kaiming_uniform_(tg.empty(100, 150), nonlinearity="relu").numpy())
    assert 0.99 < w.max() / math.sqrt(6 / 150) <= 1


def test_a_truncated_normal_is_normal_within_its_ends():
    w = init.trunc_normal_(tg.empty(200, 200), 1.0, 2.0, -1.0, 2.0).numpy()
    assert w.min() >= -1 and w.max() <= 2
    # Of a normal between z = -1 and z = 0.5: P = erf's half, density phi.
    phi = [math.exp(-z * z / 2) / math.sqrt(2 * math.pi) for z in (-1.0, 0.5)]
    mass = (math.erf(0.5 / math.sqrt(2)) - math.erf(-1 / math.sqrt(2))) / 2
    assert abs(w.mean() - (1 + 2 * (phi[0] - phi[1]) / mass)) < 0.015
    tail = init.trunc_normal_(tg.empty(1000), a=3.0, b=4.0).numpy()
    assert tail.min() >= 3 and tail.max() <= 4 and tail.std() > 0.1


def test_the_inverse_of_erf_is_exact():
    x = np.linspace(-5, 5, 101)
    y = tg.tensor([math.erf(v) for v in x], dtype=tg.float64)
    np.testing.assert_allclose(init._erfinv(y).erf(), y, rtol=1e-14)
    np.testing.assert_allclose(init._erfinv(y)[20:81], x[20:81], rtol=1e-11, atol=1e-15)


def test_gains_are_pytorchs():
    for name, gain in {"linear": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": math.sqrt(2),
                       "selu": 0.75, "leaky_relu": math.sqrt(2 / 1.0001)}.items():  # fmt: skip
        assert init.calculate_gain(name) == gain
    assert init.calculate_gain("leaky_relu", 2) == math.sqrt(2 / 5)
    with pytest.raises(ValueError) as error:
        init.calculate_gain("sin")
    assert said(error) == (
        "calculate_gain: 'sin' is none of linear, sigmoid, tanh, relu, selu, leaky_relu"
    )


def test_a_weight_without_inputs_and_outputs_is_refused():
    for fill, name in [(init.xavier_normal_, "xavier_normal_"),
                       (init.kaiming_uniform_, "kaiming_uniform_")]:  # fmt: skip
        with pytest.raises(ValueError) as error:
            fill(tg.ones(3))
        assert said(error) == f"{name}: a weight has 2 dims or more, (out, in), not (3,)"
    with pytest.raises(ValueError) as error:
        init.kaiming_normal_(tg.ones(2, 2), mode="fan")
    assert said(error) == "kaiming_normal_: mode is 'fan_in' or 'fan_out', not 'fan'"


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (3, 2, 4), (1, 1), (4, 4)])
def test_orthogonal_rows_or_columns(shape):
    w = nn.Parameter(tg.zeros(*shape))
    assert init.orthogonal_(w, gain=2.0) is w
    m = w.detach().flatten(1)
    product = m.t() @ m if m.shape[0] > m.shape[1] else m @ m.t()
    assert product.sub(4 * tg.eye(len(product))).abs().max() < 1e-5
    tg.manual_seed(1)
    first = init.orthogonal_(tg.zeros(3, 3)).tolist()
    tg.manual_seed(1)
    assert init.orthogonal_(tg.zeros(3, 3)).tolist() == first


def test_dirac_hands_on_its_input():
    # The places of the ones are PyTorch's.
    w = init.dirac_(nn.Parameter(tg.ones(4, 3, 3)))
    assert w.nonzero().tolist() == [[0, 0, 1], [1, 1, 1], [2, 2, 1]]
    w = init.dirac_(tg.zeros(4, 2, 3, 3), groups=2)
    assert w.nonzero().tolist() == [[0, 0, 1, 1], [1, 1, 1, 1], [2, 0, 1, 1], [3, 1, 1, 1]]
    x = tg.randn(1, 4, 5, 5)
    assert nn.functional.conv2d(x, w, padding=1, groups=2).tolist() == x.tolist()


def test_sparse_columns_have_their_zeros():
    w = init.sparse_(tg.ones(10, 400), 0.25)
    assert (w == 0).sum(0).tolist() == [3] * 400
    assert abs(w[w != 0].std().item() - 0.01) < 0.001


def test_what_is_no_weight_is_refused():
    for fill, shape, text in [
        (init.orthogonal_, (3,), "orthogonal_: a weight has 2 dims or more, (out, in), not (3,)"),
        (init.dirac_, (3, 3), "dirac_: a convolution's weight has 3 to 5 dims, "),
        (lambda w: init.dirac_(w, 2), (3, 3, 3), "dirac_: 3 outputs do not make 2 groups"),
        (lambda w: init.sparse_(w, 0.5), (3,), "sparse_: a tensor of 2 dims, not (3,)"),
    ]:
        with pytest.raises(ValueError) as error:
            fill(tg.zeros(*shape))
        assert said(error).startswith(text)
