"""Functions of nn.functional beside what functional_recorded.json holds: second derivatives,
random ones, and what misuse says."""

import math

import pytest
import tapegraph as tg
from errors import said
from op_cases import fill
from tapegraph.autograd import gradcheck, gradgradcheck
from tapegraph.nn import functional as F

TWICE = [
    (lambda x: F.selu(x) + F.celu(x, 0.5), [(2, 3)]),
    (lambda x: F.softshrink(x, 0.2) + F.hardshrink(x, 0.2) * x, [(2, 3)]),
    (lambda x: F.avg_pool1d(x, 2) * F.max_pool1d(x, 2), [(1, 2, 5)]),
    (lambda x, w: F.conv_transpose1d(x, w, None, 2), [(1, 2, 3), (2, 1, 2)]),
    (lambda x: F.unfold(x, 2, padding=1) ** 2, [(1, 1, 2, 3)]),
    (lambda x: F.fold(x, (3, 3), 2) ** 2, [(1, 4, 4)]),
    (lambda x: F.interpolate(x, (3, 5), mode="bilinear") ** 2, [(1, 1, 2, 3)]),
    (lambda x: F.interpolate(x, (3, 5), mode="bicubic") ** 2, [(1, 1, 2, 3)]),
    (lambda x: F.interpolate(x, 5) ** 2, [(1, 2, 3)]),
    (lambda x: F.pixel_shuffle(x, 2) ** 2, [(4, 1, 2)]),
    (lambda x, w: F.rms_norm(x, (3,), w), [(2, 3), (3,)]),
    (lambda x: F.instance_norm(x), [(1, 2, 3)]),
    (lambda x: F.local_response_norm(x, 2, 0.5), [(1, 3, 2)]),
    (lambda x: F.normalize(x), [(2, 3)]),
    (lambda x, y: F.cosine_similarity(x, y), [(2, 3), (2, 3)]),
    (lambda x, y: F.pairwise_distance(x, y), [(2, 3), (2, 3)]),
    (lambda x, y, w: F.bilinear(x, y, w), [(2, 2), (2, 2), (1, 2, 2)]),
    (lambda x, y: F.huber_loss(x, y, delta=0.3), [(2, 3), (2, 3)]),
    (lambda x, y: F.binary_cross_entropy(x.sigmoid(), y.sigmoid()), [(2, 3), (2, 3)]),
    (lambda x: F.poisson_nll_loss(x, tg.arange(6.0).reshape(2, 3), full=True), [(2, 3)]),
    (lambda x, v: F.gaussian_nll_loss(x, tg.ones(2, 3), v.exp()), [(2, 3), (2, 3)]),
    (lambda x: F.soft_margin_loss(x, tg.tensor([1, -1, 1])), [(2, 3)]),
    (lambda x, y: F.cosine_embedding_loss(x, y, tg.tensor([1, -1])), [(2, 3), (2, 3)]),
    (lambda x, y, z: F.triplet_margin_loss(x, y, z, swap=True), [(2, 3), (2, 3), (2, 3)]),
    (lambda x: F.multi_margin_loss(x, tg.tensor([1, 0]), 2), [(2, 3)]),
    (lambda x: F.multilabel_soft_margin_loss(x, tg.ones(2, 3)), [(2, 3)]),
    (lambda x: F.ctc_loss(x.log_softmax(-1), tg.tensor([[1, 2], [1, 1]]), (4, 3), (2, 1)),
     [(4, 2, 3)]),
    (lambda x: F.ctc_loss(x, tg.tensor([[1, 1]]), (3,), (2,), zero_infinity=True), [(3, 1, 3)]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "shapes"), TWICE)
def test_a_gradient_and_its_gradient_are_those_of_differences(function, shapes):
    inputs = [fill(tg, shape, k).requires_grad_() for k, shape in enumerate(shapes)]
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_strided_and_empty_inputs_are_taken():
    x = fill(tg, (4, 3, 2, 2), 0)
    turned = x.permute(0, 3, 2, 1)
    plain = turned.clone()
    for f in (
        lambda x: F.unfold(x, 2),
        lambda x: F.interpolate(x, (3, 3), mode="bilinear"),
        lambda x: F.instance_norm(x),
        lambda x: F.pixel_unshuffle(x[..., :2], 2),
        lambda x: F.huber_loss(x, x * 0.5),
    ):
        assert f(turned).tolist() == f(plain).tolist()
    assert F.unfold(tg.zeros(0, 2, 3, 3), 2).shape == (0, 8, 4)
    assert F.interpolate(tg.zeros(0, 2, 3), 6).shape == (0, 2, 6)
    assert F.huber_loss(tg.zeros(0), tg.zeros(0), "sum").item() == 0
    assert F.selu(tg.tensor(1.0)).shape == ()


def test_a_target_that_no_way_spells_is_infinite_or_zero():
    x = tg.zeros(2, 1, 3, requires_grad=True)
    target = tg.tensor([[1, 1]])  # needs a blank between
    assert F.ctc_loss(x.log_softmax(-1), target, (2,), (2,)).item() == math.inf
    loss = F.ctc_loss(x.log_softmax(-1), target, (2,), (2,), zero_infinity=True)
    loss.backward()
    assert loss.item() == 0 and x.grad.tolist() == [[[0, 0, 0]]] * 2
    one = F.ctc_loss(tg.zeros(2, 1, 2).log_softmax(-1), tg.tensor([[1]]), (2,), (1,))
    assert one.item() == pytest.approx(-math.log(3 / 4))  # of -1, 1-, 11 and --


def test_lengths_may_be_given_to_a_compiled_ctc_loss():
    f = tg.compile(lambda x, n, m: F.ctc_loss(x, tg.tensor([[1, 2], [1, 1]]), n, m))
    x = fill(tg, (4, 2, 3), 0).log_softmax(-1)
    for n, m in (([4, 3], [2, 1]), ([3, 4], [1, 2])):
        n, m = tg.tensor(n), tg.tensor(m)
        assert f(x, n, m).item() == F.ctc_loss(x, tg.tensor([[1, 2], [1, 1]]), n, m).item()
    assert f.traces == 1


def test_gumbel_softmax_draws_a_class_by_its_probability():
    tg.manual_seed(0)
    logits = tg.tensor([0.5, 0.3, 0.2]).log().expand(4000, 3)
    hard = F.gumbel_softmax(logits, hard=True)
    assert set(hard.flatten().tolist()) <= {0.0, 1.0} and hard.sum(1).tolist() == [1] * 4000
    for share, want in zip(hard.mean(0).tolist(), (0.5, 0.3, 0.2)):
        assert share == pytest.approx(want, abs=0.03)
    x = tg.zeros(2, 3, requires_grad=True)
    tg.manual_seed(1)
    soft = F.gumbel_softmax(x, 0.5)
    tg.manual_seed(1)
    again = F.gumbel_softmax(x, 0.5, hard=True)
    weights = tg.tensor([1.0, 2.0, 4.0])
    (a,) = tg.autograd.grad((soft * weights).sum(), x)
    (b,) = tg.autograd.grad((again * weights).sum(), x)
    assert a.tolist() == b.tolist() and again.argmax(1).tolist() == soft.argmax(1).tolist()


def test_rrelu_draws_slopes_in_training_and_takes_their_mean_else():
    tg.manual_seed(0)
    x = tg.full((1000,), -1.0)
    drawn = -F.rrelu(x, 0.25, 0.75, True)
    assert 0.25 <= drawn.min().item() < 0.26 and 0.74 < drawn.max().item() <= 0.75
    assert F.rrelu(x[:1], 0.25, 0.75).tolist() == [-0.5]
    y = tg.tensor([-1.0, 2.0])
    assert F.rrelu(y, 0.5, 0.5, True, inplace=True) is y and y.tolist() == [-0.5, 2]


@pytest.mark.parametrize(("call", "kind", "text"), [
    (lambda: F.mse_loss(tg.ones(2), tg.ones(2), weight=tg.ones(1)), ValueError,
     "mse_loss: the weight's shape (1,) must be the input's, (2,)"),
    (lambda: F.huber_loss(tg.ones(2), tg.ones(2), delta=0), RuntimeError,
     "huber_loss: delta is 0, not above 0"),
    (lambda: F.binary_cross_entropy(tg.tensor([2.0]), tg.ones(1)), RuntimeError,
     "binary_cross_entropy: probability: an element is below 0, above 1 or NaN"),
    (lambda: F.binary_cross_entropy(tg.ones(2), tg.ones(1)), ValueError,
     "binary_cross_entropy: the target's shape (1,) must be the input's, (2,)"),
    (lambda: F.gaussian_nll_loss(tg.ones(2), tg.ones(2), tg.tensor([1.0, -1.0])), ValueError,
     "gaussian_nll_loss: var has an element below 0"),
    (lambda: F.unfold(tg.ones(1, 1, 2, 2), 3), RuntimeError,
     "unfold: a window spans 3 in dim -2, more than an image of (2, 2) with padding (0, 0) has"),
    (lambda: F.fold(tg.ones(1, 4, 3), 3, 2), RuntimeError,
     "fold: input (1, 4, 3) must have a multiple of 4 numbers for each of 4 windows, which an "
     "output_size of (3, 3) has"),
    (lambda: F.interpolate(tg.ones(1, 1, 2)), ValueError,
     "interpolate: give size or scale_factor, and not both"),
    (lambda: F.interpolate(tg.ones(1, 1, 2), 3, mode="bilinear"), NotImplementedError,
     "interpolate: mode 'bilinear' is not for an input with 1 dim but N and C; of 1 there is "
     "linear, of 2 bilinear and bicubic, of 3 trilinear"),
    (lambda: F.pixel_shuffle(tg.ones(3, 2, 2), 2), RuntimeError,
     "pixel_shuffle: dim 0 of input (3, 2, 2) is 3, no multiple of 2^2"),
    (lambda: F.ctc_loss(tg.ones(2, 1, 3), tg.tensor([[1]]), (3,), (1,)), RuntimeError,
     "ctc_loss: an input length is 3, and log_probs (2, 1, 3) has 2 steps"),
    (lambda: F.ctc_loss(tg.ones(2, 1, 3), tg.tensor([[1]]), (2,), (1,), 3), RuntimeError,
     "ctc_loss: blank is 3, and there are 3 classes"),
    (lambda: F.multi_margin_loss(tg.ones(2, 3), tg.tensor([0, 1]), 3), ValueError,
     "multi_margin_loss: p is 3, and must be 1 or 2"),
    (lambda: F.max_pool1d(tg.ones(4), 2), RuntimeError,
     "max_pool1d: input (4,) has 1 dim; it is (N, C, L) or without N"),
    (lambda: F.softshrink(tg.ones(1), -1.0), RuntimeError,
     "softshrink: lambd is -1, below 0"),
])  # fmt: skip
def test_misuse_says_what_was_given(call, kind, text):
    with pytest.raises(kind) as error:
        call()
    assert said(error) == text
