"""Hooks on a module's gradients. The values are PyTorch 2.15's."""

import copy

import pytest
import tapegraph as tg
from tapegraph import nn


def ones_layer():
    layer = nn.Linear(2, 2, bias=False)
    nn.init.ones_(layer.weight)
    return layer


def lists(gradients):
    return [None if g is None else g.tolist() for g in gradients]


def seen_by(layer):
    """What its hooks see, in order."""
    seen = []
    layer.register_full_backward_hook(
        lambda m, into, out: seen.append(("hook", lists(into), lists(out)))
    )
    layer.register_full_backward_pre_hook(lambda m, out: seen.append(("pre", lists(out))))
    return seen


class Two(nn.Module):
    def forward(self, a, b):
        return a * 2, {"not": "a tensor"}, b * 3


def test_hooks_see_the_gradients_of_inputs_and_outputs():
    layer, x = ones_layer(), tg.ones(1, 2, requires_grad=True)
    seen = seen_by(layer)
    layer(x).sum().backward()
    assert seen == [("pre", [[[1, 1]]]), ("hook", [[[2, 2]]], [[[1, 1]]])]
    assert x.grad.tolist() == [[2, 2]]


@pytest.mark.parametrize("compiled", [False, True])
def test_what_hooks_return_goes_on(compiled):
    layer, x = ones_layer(), tg.ones(1, 2, requires_grad=True)
    f = tg.compile(layer) if compiled else layer
    hook = layer.register_full_backward_hook(lambda m, into, out: (into[0] * 10,))
    pre = layer.register_full_backward_pre_hook(lambda m, out: (out[0] * 2,))
    for _ in range(2):
        x.grad = layer.weight.grad = None
        f(x).sum().backward()
        assert x.grad.tolist() == [[40, 40]] and layer.weight.grad.tolist() == [[2, 2], [2, 2]]
    hook.remove()
    pre.remove()
    x.grad = None
    f(x).sum().backward()
    assert x.grad.tolist() == [[2, 2]]


def test_without_a_gradient_for_an_input_there_is_none_to_see():
    layer = ones_layer()
    seen = seen_by(layer)
    layer(tg.ones(1, 2)).sum().backward()
    assert seen == [("pre", [[[1, 1]]]), ("hook", [None], [[[1, 1]]])]
    with tg.no_grad():
        layer(tg.ones(1, 2))
    layer.register_full_backward_hook(lambda m, into, out: (tg.ones(1, 2),))
    with pytest.raises(RuntimeError, match="no input of it requires a gradient"):
        layer(tg.ones(1, 2)).sum().backward()


def test_several_inputs_and_outputs():
    two = Two()
    seen = seen_by(two)
    a, b = (tg.ones(2, requires_grad=True) for _ in range(2))
    two(a, b)[0].sum().backward()
    assert seen == [
        ("pre", [[1, 1], None, None]),
        ("hook", [[2, 2], [0, 0]], [[1, 1], None, None]),
    ]
    assert two(a, b)[1] == {"not": "a tensor"}


def test_a_hook_must_return_as_many_as_it_got():
    x = tg.ones(1, 2, requires_grad=True)
    for result, error, text in [
        ((x, x), RuntimeError, "2 values of grad_input came back, and 1 went in"),
        (3, TypeError, "returns None or a tuple of grad_input, not int"),
    ]:
        layer = ones_layer()
        layer.register_full_backward_hook(lambda m, into, out, result=result: result)
        with pytest.raises(error, match=text):
            layer(x).sum().backward()
    with pytest.raises(TypeError, match="a hook is a function, not int"):
        layer.register_full_backward_hook(3)


def test_a_copy_and_a_compiled_module_have_the_hooks():
    layer, x = ones_layer(), tg.ones(1, 2, requires_grad=True)
    f = tg.compile(layer)
    f(x).sum().backward()
    layer.register_full_backward_hook(lambda m, into, out: (into[0] * 5,))
    for g in (f, layer, copy.deepcopy(layer)):
        x.grad = None
        g(x).sum().backward()
        assert x.grad.tolist() == [[10, 10]]
    assert f.traces == 2
