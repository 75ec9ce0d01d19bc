"""no_grad, enable_grad, set_grad_enabled and inference_mode; what grad can be asked for."""

import threading

import pytest
import tapegraph as tg
from errors import said
from tapegraph.autograd import inference_mode, is_inference_mode_enabled


def on():
    return tg.is_grad_enabled()


def test_set_grad_enabled_as_function_context_and_decorator():
    tg.set_grad_enabled(False)
    assert not on()
    tg.set_grad_enabled(True)
    assert on()
    with tg.set_grad_enabled(False):
        assert not on()
        with tg.set_grad_enabled(True):
            assert on()
        assert not on()
    assert on()

    @tg.set_grad_enabled(False)
    def f():
        return on()

    assert on() and not f() and on()
    mode = tg.set_grad_enabled(False)
    with mode:
        assert not on()
    with mode:
        assert not on()
    assert on()
    with pytest.raises(TypeError) as error:
        tg.set_grad_enabled(1)
    assert said(error) == "set_grad_enabled: mode must be True or False, not int"


def test_a_decorated_generator_has_the_mode_only_while_it_runs():
    closed = []

    @tg.no_grad()
    def generator():
        try:
            got = yield on()
            try:
                yield got
            except KeyError:
                yield "caught", on()
        finally:
            closed.append(on())
        return "end"

    g = generator()
    assert next(g) is False and on()
    assert g.send(3) == 3 and on()
    assert g.throw(KeyError) == ("caught", False) and on()
    with pytest.raises(StopIteration) as end:
        next(g)
    assert end.value.value == "end" and closed == [False]
    g = generator()
    next(g)
    g.close()
    assert closed == [False, False] and on()


def test_modes_may_be_entered_again_inside_themselves():
    mode = tg.no_grad()
    with mode:
        with tg.enable_grad(), mode:
            assert not on()
        assert not on()
    assert on()

    @tg.no_grad
    def f(n):
        return on() if n == 0 else f(n - 1)

    assert not f(3) and on()


def test_a_class_is_not_decorated():
    with pytest.raises(TypeError) as error:
        tg.no_grad()(dict)
    assert said(error) == (
        "no_grad: a function is decorated, not the class dict; decorate its methods"
    )


def test_a_mode_is_its_threads():
    seen = []
    with tg.no_grad(), inference_mode():
        thread = threading.Thread(target=lambda: seen.append((on(), is_inference_mode_enabled())))
        thread.start()
        thread.join()
    assert seen == [(True, False)]


def test_inference_mode_is_not_ended_by_enable_grad():
    w = tg.ones(2, requires_grad=True)
    with inference_mode():
        assert is_inference_mode_enabled() and not on()
        with tg.enable_grad():
            assert not (w * 2).requires_grad
        with tg.set_grad_enabled(True):
            assert not (w * 2).requires_grad
        with inference_mode(False):
            assert (w * 2).requires_grad and not is_inference_mode_enabled()
        y = w * 2
    assert on() and not is_inference_mode_enabled() and y.is_leaf

    @inference_mode
    def f():
        return on()

    @inference_mode()
    def g():
        return on()

    assert not f() and not g() and on()


def test_grad_can_fill_in_zeros():
    w = tg.ones(2, requires_grad=True)
    v = tg.ones(3, requires_grad=True)
    found = tg.autograd.grad((w * 2).sum(), (w, v), materialize_grads=True)
    assert [g.tolist() for g in found] == [[2, 2], [0, 0, 0]]
    assert tg.autograd.grad((w * 2).sum(), [w, v], allow_unused=True)[1] is None
    (both,) = tg.autograd.grad([w * 2, (w * 3).sum()], w, [tg.ones(2), None])
    assert both.tolist() == [5, 5]


def test_what_grad_does_not_offer():
    w = tg.ones(2, requires_grad=True)
    y = (w * 2).sum()
    with pytest.raises(ValueError) as error:
        tg.autograd.grad(y, w, allow_unused=False, materialize_grads=True)
    assert said(error) == (
        "grad: materialize_grads=True gives zeros for an unused input, and allow_unused=False "
        "forbids one; leave allow_unused out"
    )
    with pytest.raises(NotImplementedError) as error:
        tg.autograd.grad(y, w, is_grads_batched=True)
    assert said(error) == (
        "grad: is_grads_batched is not offered; call grad once for each row of grad_outputs, "
        "with retain_graph=True, or tg.vmap the function that tg.func.vjp gives"
    )
    with pytest.raises(ValueError) as error:
        tg.autograd.grad(y, w, only_inputs=False)
    assert said(error) == (
        "grad: only_inputs=False is not offered; use backward to fill every .grad"
    )
    with pytest.raises(ValueError) as error:
        tg.autograd.grad(y, [])
    assert said(error) == "grad: no inputs to take gradients of"
