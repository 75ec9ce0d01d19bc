"""x[...] and x[...] = value."""

import numpy as np
import pytest
import tapegraph as tg
from errors import said


@pytest.mark.parametrize(
    "key",
    [
        0, -1, (1, 2), (slice(None), 1), slice(1, None), slice(None, None, 2), slice(-2, None),
        (..., 0), (None, 0), (0, None, ..., 1), (slice(0, 2), slice(1, 3), slice(None, None, 3)),
        ..., slice(5, 2), slice(None), (), (slice(None), None), np.int64(1), (slice(100, 200),),
    ],
)  # fmt: skip
def test_reading_agrees_with_numpy(key):
    array = np.arange(24).reshape(2, 3, 4)
    x = tg.tensor(array)
    assert x[key].tolist() == array[key].tolist()
    if array[key].size:
        assert x[key].data_ptr() - x.data_ptr() == (
            array[key].__array_interface__["data"][0] - array.__array_interface__["data"][0]
        )


def test_a_tensor_of_one_int_is_an_index():
    x = tg.tensor([[1, 2], [3, 4]])
    assert x[tg.tensor(1)].tolist() == [3, 4]
    assert x[tg.tensor(0), tg.tensor(1)].item() == 2


def test_writing_goes_through_to_the_base():
    x = tg.zeros(3, 4)
    x[0] = 1
    x[1, 1:3] = tg.tensor([2.0, 3.0])
    x[..., -1] = np.array([7, 8, 9])
    x[2, :2] = [5, 6]
    assert x.tolist() == [[1, 1, 1, 7], [0, 2, 3, 8], [5, 6, 0, 9]]
    x.T[0] = 0
    assert x[:, 0].tolist() == [0, 0, 0]
    x[:] = 2
    assert x.sum().item() == 24


def test_an_indexed_in_place_operator_writes_once():
    x = tg.zeros(3)
    x[1] += 5
    assert x.tolist() == [0, 5, 0]
    assert x._version == 1


def test_gradients_flow_through_reading_and_writing():
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = w * 2
    y[1] = w[0] * 10
    y.sum().backward()
    assert w.grad.tolist() == [12, 0, 2]


@pytest.mark.parametrize(
    ("key", "kind", "text"),
    [
        (3, IndexError, None),
        (-4, IndexError, None),
        ((0, 0, 0), IndexError, "index: 3 indices for a tensor of shape (3, 4), which has 2 dims"),
        ((..., ...), IndexError, "index: only one ... fits into a key"),
        (slice(None, None, -1), ValueError,
         "index: a slice's step must be 1 or more, not -1; a tensor has no negative strides"),
        ("a", TypeError, "index: an int, a slice, None or ... is an index, not str"),
        (1.0, IndexError, "index: an int, a slice, None or ... is an index, not float"),
        (True, NotImplementedError,
         "index: x[True] is not there yet; use x[None] or tg.where"),
        ([0, 1], NotImplementedError,
         "index: x[list] is not there yet; use x.gather(dim, index), tg.one_hot(index, n) @ x, "
         "or tg.where(mask, a, b)"),
        (2**70, OverflowError, None),
    ],
)  # fmt: skip
def test_a_wrong_index_says_what_to_use(key, kind, text):
    with pytest.raises(kind) as error:
        tg.zeros(3, 4)[key]
    if text is not None:
        assert said(error) == text


def test_tensors_of_several_indices_are_named_with_the_way_out():
    with pytest.raises(NotImplementedError, match=r"x\[int64 \(2,\)\] is not there yet"):
        tg.zeros(3)[tg.tensor([0, 1])]
    with pytest.raises(NotImplementedError, match=r"x\[bool \(3,\)\]"):
        tg.zeros(3)[tg.zeros(3) == 0] = 1


def test_writing_what_does_not_fit():
    x = tg.zeros(3, 4)
    with pytest.raises(RuntimeError):
        x[0] = tg.zeros(3)
    with pytest.raises(TypeError, match="a tensor, a number or an array can be stored"):
        x[0] = "a"
    with pytest.raises(TypeError, match="cannot be deleted"):
        del x[0]
    w = tg.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="no_grad"):
        w[0] = 1.0
