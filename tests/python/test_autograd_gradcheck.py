"""gradcheck and gradgradcheck: what passes, what does not, and what is said of it."""

import pytest
import tapegraph as tg
from errors import said
from tapegraph.autograd import GradcheckError, gradcheck, gradgradcheck
from values import leaf64


def wrong(x):
    """x**2 whose gradient is x: half of it is hidden from the tape."""
    return x * x.detach()


def test_right_gradients_pass():
    a = tg.randn(2, 3, dtype=tg.float64, requires_grad=True)
    b = tg.randn(3, 2, dtype=tg.float64, requires_grad=True)
    assert gradcheck(lambda x, y: (x @ y).tanh(), (a, b))
    assert gradgradcheck(lambda x, y: (x @ y).tanh(), (a, b))
    assert gradgradcheck(lambda x, y: (x * 2, y.exp()), (a, b), gen_non_contig_grad_outputs=True)
    assert gradcheck(lambda x, n: x**n, (a, 3))
    assert gradcheck(lambda x: x.t().exp(), a.t().detach().requires_grad_())
    assert gradcheck(lambda x: x * 2, tg.zeros(0, dtype=tg.float64, requires_grad=True))


def test_the_inputs_are_as_before():
    a = leaf64(1.0, 2.0)
    gradcheck(lambda x: x**3, a)
    assert a.tolist() == [1, 2] and a.grad is None
    with tg.no_grad():
        assert gradcheck(lambda x: x**3, a)


def test_a_function_may_name_its_input_itself():
    a = leaf64(1.0, 2.0)
    assert gradcheck(lambda _: a**2, a)


def test_a_wrong_gradient_is_named_with_both_values():
    a = leaf64(1.0, 2.0)
    with pytest.raises(GradcheckError) as error:
        gradcheck(lambda n, x: (x * n, wrong(x)), (1.0, a))
    text = str(error.value)
    assert "output 1 (mul, test_autograd_gradcheck.py:" in text
    assert text.startswith("gradcheck: ")
    assert (
        "input 1 (float64 (2,)): d output[0] / d input[0] is 2 by differences (numerical) and 1 "
        "by backward (analytical), which differ by 1, more than atol 1e-05 + rtol 0.001 * 2; "
        "2 of 4 numbers do" in text
    )
    assert isinstance(error.value, RuntimeError)
    assert gradcheck(wrong, a, raise_exception=False) is False
    assert gradcheck(wrong, a, atol=10.0)
    assert gradcheck(wrong, a, rtol=0.6)


def test_an_output_cut_off_from_the_tape_is_seen():
    with pytest.raises(GradcheckError, match="the output has no gradient at all"):
        gradcheck(lambda x: (x * 2, x.detach() ** 2), leaf64(1.0))


def test_a_wrong_second_derivative_is_seen():
    def f(x):
        # The value and the gradient of x**3, and a second derivative of zero.
        slope = 3 * x.detach() ** 2
        return slope * x - (2 * x.detach() ** 3)

    a = leaf64(2.0)
    assert gradcheck(f, a)
    with pytest.raises(GradcheckError, match=r"gradgradcheck: output 0.*by differences"):
        gradgradcheck(f, a)
    assert gradgradcheck(f, a, raise_exception=False) is False


def test_float64_is_advised():
    a = tg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.warns(UserWarning, match="input 0 is tapegraph.float32, in which"):
        assert gradcheck(lambda x: x * 2, a, eps=1e-2, atol=1e-2)
    with pytest.warns(UserWarning), pytest.raises(GradcheckError, match="use float64$"):
        gradcheck(wrong, a)


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError) as error:
        gradcheck(lambda x: x, tg.ones(2, dtype=tg.float64))
    assert said(error) == ("gradcheck: no input requires a gradient; set requires_grad=True on one")
    with pytest.raises(ValueError) as error:
        gradcheck(lambda x: 3, leaf64(1.0))
    assert said(error) == "gradcheck: the output of func is int, not a tensor"
    with pytest.raises(ValueError) as error:
        gradgradcheck(lambda x: x * 2, leaf64(1.0), [leaf64(1.0)] * 2)
    assert said(error) == ("gradgradcheck: 1 outputs have a gradient, but grad_outputs has 2")
    with pytest.raises(NotImplementedError) as error:
        gradcheck(lambda x: x, leaf64(1.0), fast_mode=True)
    assert said(error) == (
        "gradcheck: fast_mode=True is not offered: there is no forward mode, no vmap, and the "
        "whole Jacobian is always compared"
    )
    w = leaf64(1.0)
    with tg.Graph(), pytest.raises(RuntimeError) as error:
        gradcheck(lambda x: x, w * 2)
    assert "gradcheck: input 0 is symbolic: differences need numbers" in said(error)


def test_dtypes_of_gradients():
    assert gradcheck(lambda x: x.to(tg.float64) * 2, leaf64(1.0), check_grad_dtypes=True)
