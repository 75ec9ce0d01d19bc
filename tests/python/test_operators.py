"""Operators and functions: values by hand, promotion, NumPy on either side, and errors."""

import numpy as np
import pytest
import tapegraph as tg
from errors import said


def same(x, values, dtype=None):
    assert x.tolist() == values
    if dtype is not None:
        assert x.dtype == dtype


def test_arithmetic_with_tensors_and_numbers_on_either_side():
    a, b = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 5.0])
    same(a + b, [4, 7])
    same(a - b, [-2, -3])
    same(a * b, [3, 10])
    same(b / a, [3, 2.5])
    same(1 + a, [2, 3])
    same(1 - a, [0, -1])
    same(2 * a, [2, 4])
    same(2 / a, [2, 1])
    same(a**2, [1, 4])
    same(2**a, [2, 4])
    same(-a, [-1, -2])
    same(abs(-a), [1, 2])
    assert +a is a
    same(a @ b, 13)


def test_promotion_is_pytorchs():
    i, f, d = tg.tensor([1, 2]), tg.tensor([1.5, 2.5]), tg.tensor([1.0, 2.0], dtype=tg.float64)
    assert (i + 1).dtype == tg.int64
    assert (i + 1.5).dtype == tg.float32
    assert (i / 2).dtype == tg.float32
    assert (f + d).dtype == tg.float64
    assert (f * 2.5).dtype == tg.float32
    assert (f + tg.tensor(2.0, dtype=tg.float64)).dtype == tg.float32
    assert (tg.tensor([True]) + 1).dtype == tg.int64
    assert (tg.tensor([1], dtype=tg.uint8) + 3).dtype == tg.uint8


def test_comparisons_and_logic():
    a = tg.tensor([1.0, 2.0, 3.0])
    same(a == 2, [False, True, False], tg.bool)
    same(a != 2, [True, False, True])
    same(a < 2, [True, False, False])
    same(a <= 2, [True, True, False])
    same(2 < a, [False, False, True])
    same(a >= tg.tensor([3.0, 2.0, 1.0]), [False, True, True])
    same(~(a > 1), [True, False, False])
    with pytest.raises(TypeError) as error:
        print(~a)
    assert said(error) == (
        "~: a tensor of bool or integers, not float32; compare first, as in ~(x > 0)"
    )


def test_in_place_operators_keep_the_object():
    x = tg.tensor([1.0, 2.0])
    before, address = x, x.data_ptr()
    x += 1
    x *= tg.tensor([2.0, 3.0])
    x -= 1
    x /= 2
    x **= 2
    same(x, [2.25, 16])
    assert x is before and x.data_ptr() == address
    assert x._version == 5


def test_numpy_stands_on_either_side():
    x = tg.tensor([1.0, 2.0])
    array = np.array([10.0, 20.0], dtype=np.float32)
    for result in (x + array, array + x):
        assert isinstance(result, tg.Tensor)
        same(result, [11, 22])
    same(array - x, [9, 18])
    same(np.float32(2) * x, [2, 4], tg.float32)
    same(x * np.float64(2), [2, 4], tg.float32)
    same(np.int64(2) + tg.tensor([1]), [3], tg.int64)
    same(np.bool_(True) + x, [2, 3])
    same(array < x, [False, False])
    x += array
    same(x, [11, 22])


@pytest.mark.parametrize("other", ["a", None, object(), [1], {}, 1j])
def test_what_is_no_operand_is_pythons_own_type_error(other):
    x = tg.ones(2)
    for f in (lambda: x + other, lambda: other - x, lambda: x / other, lambda: x < other):
        with pytest.raises(TypeError, match="not supported|unsupported operand"):
            f()


def test_an_int_past_int64_is_an_overflow_error():
    with pytest.raises(OverflowError) as error:
        tg.ones(2) + 2**64
    assert said(error) == "int: 18446744073709551616 does not fit an int64"


@pytest.mark.parametrize("write", [lambda x: x + 2**64, lambda x: 2**64 // x, lambda x: x << 2**64,
                                   lambda x: x == 2**64, lambda x: x.clamp(max=2**64)])  # fmt: skip
def test_every_operator_refuses_an_int_past_int64(write):
    with pytest.raises(OverflowError):
        write(tg.tensor([1, 2]))


def test_shifts_move_bits():
    x = tg.tensor([5, -5, 1])
    same(x << 1, [10, -10, 2], tg.int64)
    same(x >> 1, [2, -3, 0])
    same(3 << tg.tensor([0, 2]), [3, 12])
    same(np.int64(200) >> tg.tensor([1, 3]), [100, 25])
    same(tg.tensor([200, 3], dtype=tg.uint8) << 1, [144, 6], tg.uint8)
    same(x << 70, [0, 0, 0])
    same(x >> -1, [0, -1, 0])
    before = x
    x <<= 2
    x >>= tg.tensor([1, 1, 2])
    same(x, [10, -10, 1])
    assert x is before
    same(x.bitwise_left_shift_(1), [20, -20, 2])
    for write in (lambda: tg.ones(2) << 1, lambda: x << 1.5, lambda: 1 >> tg.ones(2)):
        with pytest.raises(NotImplementedError, match="shift.*: is not defined for float32"):
            write()
    with pytest.raises(TypeError, match="unsupported operand"):
        x << "a"


def test_aliases_are_the_same_functions():
    x = tg.tensor([0.5, -0.25])
    assert tg.arctan2 is tg.atan2 and tg.multiply is tg.mul and tg.clip is tg.clamp
    assert x.arcsin().tolist() == x.asin().tolist()
    same(x.clone().subtract_(1), [-0.5, -1.25])
    same(x.clone().negative_().absolute_(), [0.5, 0.25])
    same(x.true_divide(0.5), [1, -0.5])
    same(x.greater(0), [True, False])
    same(tg.fix(x * 3), [1, 0])
    same(tg.concat([x, x]), [0.5, -0.25, 0.5, -0.25])


def test_more_functions_write_in_place():
    x = tg.tensor([7.0, -7.0])
    assert x.remainder_(4) is x
    same(x, [3, 1])
    same(x.fmod_(2), [1, 1])
    same(x.lerp_(tg.tensor([3.0, 5.0]), 0.5), [2, 3])
    same(x.addcmul_(tg.ones(2), tg.ones(2), value=2), [4, 5])
    same(x.addcdiv_(tg.ones(2), tg.tensor([2.0, 4.0])), [4.5, 5.25])
    same(x.floor_divide_(2), [2, 2])
    same(x.gt_(tg.tensor([1.0, 2.0])), [1, 0], tg.float32)
    same(tg.tensor([6, 5]).bitwise_and_(3).bitwise_or_(8).bitwise_xor_(1), [11, 8])
    same(x.copysign_(-1).cumprod_(0), [-1, 0])
    same(tg.zeros(2).addmv_(tg.ones(2, 2), tg.ones(2), alpha=3), [6, 6])
    with pytest.raises(RuntimeError) as error:
        x.float_power_(2)
    assert said(error) == (
        "float_power_: gives float64, and this tensor is float32; use float_power"
    )


def test_shapes_that_do_not_broadcast_name_both():
    with pytest.raises(RuntimeError) as error:
        tg.zeros(32, 10) + tg.zeros(32)
    assert "(32, 10)" in str(error.value) and "(32,)" in str(error.value)
    with pytest.raises(RuntimeError) as error:
        tg.zeros(2, 3) @ tg.zeros(2, 3)
    assert "matmul" in str(error.value) and "(2, 3)" in str(error.value)


def test_functions_are_methods_and_take_pytorchs_names():
    x = tg.tensor([[1.0, 4.0], [9.0, 16.0]])
    same(x.sqrt(), [[1, 2], [3, 4]])
    same(tg.sum(x), 30)
    same(x.sum(0), [10, 20])
    same(x.sum(dim=1, keepdim=True), [[5], [25]])
    same(x.sum(axis=1, keepdims=True), [[5], [25]])
    same(x.sum((0, 1)), 30)
    same(x.mean(dim=-1), [2.5, 12.5])
    same(x.amax(0), [9, 16])
    same(x.max(), 16)
    values, indices = x.max(1)
    same(values, [4, 16])
    same(indices, [1, 1], tg.int64)
    assert x.max(dim=0).indices.tolist() == [1, 1]
    same(x.argmax(), 3, tg.int64)
    same(tg.argmax(x, 1, keepdim=True), [[1], [1]])
    same(tg.maximum(x, tg.tensor(5.0)), [[5, 5], [9, 16]])
    same(tg.where(x > 4, x, 0.0), [[0, 0], [9, 16]])
    same(x.where(x > 4, -1.0), [[-1, -1], [9, 16]])
    same(x.clamp(2, 10), [[2, 4], [9, 10]])
    same(tg.relu(tg.tensor([-1.0, 2.0])), [0, 2])
    same(tg.tensor([-2.0, 0.0, 3.0]).sign(), [-1, 0, 1])
    same(x.add(x, alpha=2), [[3, 12], [27, 48]])
    same(x.sum(dtype=tg.float64), 30, tg.float64)
    assert abs(tg.tensor(1.0).exp().item() - 2.7182817) < 1e-6
    assert abs(tg.tensor([0.0, 0.0]).softmax(0).tolist()[0] - 0.5) < 1e-7


def test_layout_functions():
    x = tg.arange(6).reshape(2, 3)
    assert x.reshape(3, -1).shape == (3, 2) and x.reshape((6,)).shape == (6,)
    assert x.reshape(shape=(6,)).shape == (6,)
    assert x.view(-1).data_ptr() == x.data_ptr()
    same(x.permute(1, 0), [[0, 3], [1, 4], [2, 5]])
    same(tg.transpose(x, 0, 1), x.T.tolist())
    assert x.unsqueeze(0).shape == (1, 2, 3) and x.unsqueeze(0).squeeze().shape == (2, 3)
    assert x.flatten().shape == (6,) and x[None].expand(4, -1, -1).shape == (4, 2, 3)
    same(tg.cat([x, x], 1)[0], [0, 1, 2, 0, 1, 2])
    assert tg.stack([x, x]).shape == (2, 2, 3)
    same(x.gather(1, tg.tensor([[0], [2]])), [[0], [5]])
    same(tg.zeros(3).scatter_add(0, tg.tensor([0, 0, 2]), tg.ones(3)), [2, 0, 1])
    same(tg.one_hot(tg.tensor([1, 0]), 3), [[0, 1, 0], [1, 0, 0]], tg.int64)
    assert x.mT.shape == (3, 2) and x.t().shape == (3, 2)
    with pytest.raises(RuntimeError, match="view"):
        x.T.view(6)


def test_in_place_methods():
    x = tg.tensor([1.0, 4.0])
    assert x.sqrt_() is x
    same(x, [1, 2])
    same(x.add_(1).mul_(2).sub_(1).div_(2), [1.5, 2.5])
    same(x.add_(tg.ones(2), alpha=0.5), [2, 3])
    same(x.copy_(tg.tensor([7, 8])), [7, 8], tg.float32)
    same(x.fill_(3).pow_(2), [9, 9])
    same(x.zero_().exp_(), [1, 1])
    same(x.neg_().abs_().clamp_(max=0.5), [0.5, 0.5])
    same(x.uniform_(2, 2), [2, 2])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: x.sum("a"), "sum: dim must be an int or a tuple of ints, not str"),
        (lambda x: x.sum(0, 1), "sum: keepdim must be True or False, not int"),
        (lambda x: x.sum(dims=0), "sum: there is no argument named 'dims'"),
        (lambda x: x.sum(0, dim=0), "sum: 'dim' is given twice"),
        (lambda x: x.sum(0, False, 3), "sum: takes at most 3 arguments, not 4"),
        (lambda x: x.softmax(), "softmax: the argument 'dim' is missing"),
        (lambda x: tg.exp(3.0), "exp: input must be a tensor, not float"),
        (lambda x: tg.exp(), "exp: the argument 'input' is missing"),
        (lambda x: x.matmul([1]), "matmul: other must be a tensor, not list"),
        (lambda x: x.reshape("a"), "reshape: a shape is made of ints, not str"),
        (lambda x: x.reshape(2.0), "reshape: a shape is made of ints, not float"),
        (lambda x: tg.cat(x), "cat: tensors must be a list or tuple of tensors, not "
                              "tapegraph.Tensor"),
        (lambda x: tg.cat([x, 3]), "cat: element 1 of tensors must be a tensor, not int"),
        (lambda x: x.transpose(0), "transpose: the argument 'dim1' is missing"),
        (lambda x: tg.add(1, 2), "add: input must be a tensor, not int"),
        (lambda x: x.add_("a"), "add_: other must be a tensor or a number, not str"),
        (lambda x: x.requires_grad_(1), "requires_grad_: requires_grad must be True or False, "
                                        "not int"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_a_type_error_with_a_sentence(call, text):
    with pytest.raises(TypeError) as error:
        call(tg.ones(2))
    assert said(error) == text


def test_a_dim_out_of_range_is_an_index_error():
    with pytest.raises(IndexError) as error:
        tg.ones(2, 3).sum(2)
    assert "dim 2 is outside -2..1" in str(error.value)


def test_functions_tell_their_signature():
    import inspect

    assert str(inspect.signature(tg.sum)) == "(input, dim=None, keepdim=False, *, dtype=None)"
    assert tg.sum.__name__ == "sum" and "over dim" in tg.sum.__doc__
    assert repr(tg.sum) == "<function tapegraph.sum>"


def test_nothing_that_is_passed_ends_the_process():
    things = [None, 0, -1, 2**70, 1.5, float("nan"), "a", b"", [], [[]], {}, (), object(), int,
              tg.float32, tg.ones(0), tg.ones(2), tg.tensor(1), np.zeros(2), np.array("x"),
              slice(None), ..., True]  # fmt: skip
    x = tg.ones(2, 2)
    names = [n for n in dir(tg.Tensor) if not n.startswith("__") and n not in ("cuda", "to")]
    allowed = (TypeError, ValueError, RuntimeError, IndexError, OverflowError, MemoryError,
               NotImplementedError, AttributeError)  # fmt: skip
    for name in names:
        attribute = getattr(x.clone(), name)
        if not callable(attribute):
            for thing in things:
                try:
                    setattr(x.clone(), name, thing)
                except allowed:
                    pass
            continue
        for first in things:
            for rest in ((), (first,), (1,), (x,)):
                try:
                    getattr(x.clone(), name)(first, *rest)
                except allowed:
                    pass
    for name in dir(tg._C):
        function = getattr(tg._C, name)
        settings = ("set_num_threads", "set_cpu_level", "set_default_dtype", "_set_detect_anomaly")
        if type(function).__name__ != "Function" or name in settings:
            continue
        for first in things:
            for rest in ((), (first,), (1, 1), (x,)):
                try:
                    function(first, *rest)
                except allowed:
                    pass
