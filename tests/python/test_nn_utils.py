"""Clipping, and parameters as one vector. PyTorch's norms are in test_optim_recorded.py."""

import math

import pytest
import tapegraph as tg
from errors import said
from tapegraph.nn import utils


def leaves(*gradients):
    found = []
    for g in gradients:
        w = tg.zeros(len(g), requires_grad=True)
        w.grad = tg.tensor(g)
        found.append(w)
    return found


def test_a_norm_below_the_maximum_changes_nothing():
    parameters = leaves([3.0, 0.0], [4.0])
    parameters.append(tg.zeros(3, requires_grad=True))  # has no gradient
    assert utils.clip_grad_norm_(parameters, 5.1).item() == 5
    assert [w.grad.tolist() for w in parameters[:2]] == [[3, 0], [4]]
    assert parameters[2].grad is None


def test_gradients_are_scaled_to_the_norm():
    parameters = leaves([3.0, 0.0], [4.0])
    grad = parameters[0].grad
    utils.clip_grad_norm_(iter(parameters), 1.0)
    assert parameters[0].grad is grad
    assert grad.tolist() == pytest.approx([0.6, 0]) and parameters[1].grad.item() < 0.8
    (w,) = leaves([-4.0, 2.0])
    assert utils.clip_grad_norm_(w, 2.0, math.inf).item() == 4
    assert w.grad.tolist() == pytest.approx([-2, 1])


def test_there_may_be_no_gradient_at_all():
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    assert utils.clip_grad_norm_(tg.zeros(2, requires_grad=True), 1.0).item() == 0
    assert utils.clip_grad_norm_(leaves([], [2.0]), 1.0, math.inf).item() == 2
    utils.clip_grad_value_([], 1.0)


@pytest.mark.parametrize(("value", "word"), [(math.inf, "inf"), (math.nan, "nan")])
def test_a_norm_that_is_not_finite_can_be_an_error(value, word):
    for norm_type in (2, math.inf):
        (w,) = leaves([value, 1.0])
        with pytest.raises(RuntimeError) as error:
            utils.clip_grad_norm_([w], 1.0, norm_type, error_if_nonfinite=True)
        assert said(error) == (
            f"clip_grad_norm_: the norm of the gradients is {word}, so they cannot be clipped; "
            f"to scale them by it anyway pass error_if_nonfinite=False"
        )
        assert w.grad[1].item() == 1
        utils.clip_grad_norm_([w], 1.0, norm_type)
        assert math.isnan(w.grad[0].item())


def test_a_norm_type_is_above_0():
    with pytest.raises(ValueError) as error:
        utils.clip_grad_norm_([], 1.0, 0)
    assert said(error) == "clip_grad_norm_: norm_type must be above 0, and is 0.0"


def test_values_are_clipped_one_by_one():
    parameters = leaves([3.0, -0.5], [-4.0])
    utils.clip_grad_value_(parameters, 1)
    assert [w.grad.tolist() for w in parameters] == [[1, -0.5], [-1]]


def test_parameters_go_into_a_vector_and_back():
    model = tg.nn.Linear(3, 2)
    vector = utils.parameters_to_vector(model.parameters())
    assert vector.tolist() == [*model.weight.flatten().tolist(), *model.bias.tolist()]
    (vector * tg.arange(8.0)).sum().backward()
    assert model.weight.grad.tolist() == [[0, 1, 2], [3, 4, 5]]

    fast = tg.compile(model)
    x = tg.ones(1, 3)
    fast(x)
    utils.vector_to_parameters(tg.arange(8.0), model.parameters())
    assert model.weight.tolist() == [[0, 1, 2], [3, 4, 5]] and model.bias.tolist() == [6, 7]
    assert fast(x).tolist() == [[9, 19]] and fast.traces == 1


def test_a_vector_must_fit():
    w = tg.ones(2, 2, requires_grad=True)
    with pytest.raises(RuntimeError) as error:
        utils.vector_to_parameters(tg.zeros(5), [w])
    assert said(error) == ("vector_to_parameters: vec is (5,), and the parameters have 4 elements")
    assert w.tolist() == [[1, 1], [1, 1]]
    with pytest.raises(TypeError) as error:
        utils.vector_to_parameters([1.0], [w])
    assert said(error) == "vector_to_parameters: vec is a tensor, not list"
