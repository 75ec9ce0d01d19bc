"""NumPy in and out, with and without copies."""

import gc
import sys
import warnings

import numpy as np
import pytest
import tapegraph as tg
from errors import said

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_goes_both_ways_without_a_copy(dtype):
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    x = tg.from_numpy(array)
    assert x.dtype == getattr(tg, dtype) and x.tolist() == array.tolist()
    assert x.data_ptr() == array.ctypes.data
    back = x.numpy()
    assert back.dtype == array.dtype and back.ctypes.data == array.ctypes.data
    assert (back == array).all()


def test_what_one_writes_the_other_sees():
    array = np.zeros(3, dtype=np.float32)
    x = tg.from_numpy(array)
    array[0] = 1
    x[1] = 2
    assert x.tolist() == [1, 2, 0] and array.tolist() == [1, 2, 0]
    y = tg.zeros(2)
    y.numpy()[0] = 5
    y += 1
    assert y.numpy().tolist() == [6, 1]


def test_large_in_place_writes_stay_in_the_shared_bytes():
    x = tg.zeros(1000)
    array = x.numpy()
    x.add_(1)
    x.copy_(x * 3)
    assert array[0] == 3 and x.numpy().ctypes.data == array.ctypes.data


def test_bytes_live_as_long_as_anybody_uses_them():
    x = tg.from_numpy(np.arange(1000.0))
    gc.collect()
    assert x.sum().item() == 499500
    array = tg.arange(1000).numpy()
    gc.collect()
    assert array.sum() == 499500
    small = tg.ones(2).numpy()
    gc.collect()
    assert small.tolist() == [1, 1]
    array = np.ones(8)
    before = sys.getrefcount(array)
    x = tg.from_numpy(array)
    assert sys.getrefcount(array) > before
    del x
    assert sys.getrefcount(array) == before


def test_strided_arrays_are_shared_too():
    base = np.arange(24.0).reshape(4, 6)
    for array in (base.T, base[::2], base[:, 1::2], base[1:, 2], np.asfortranarray(base)):
        x = tg.from_numpy(array)
        assert x.data_ptr() == array.ctypes.data
        assert x.tolist() == array.tolist()
        assert (x * 2).tolist() == (array * 2).tolist()
    tg.from_numpy(base[:, 1::2]).zero_()
    assert base[0].tolist() == [0, 0, 2, 0, 4, 0]


def test_zero_dims_and_empty_arrays():
    assert tg.from_numpy(np.array(3.0)).shape == ()
    assert tg.from_numpy(np.array(3.0)).item() == 3
    for shape in [(0,), (0, 3), (3, 0, 2)]:
        x = tg.from_numpy(np.zeros(shape))
        assert x.shape == shape and x.numpy().shape == shape
        assert tg.tensor(np.zeros(shape)).shape == shape
    assert tg.tensor(3.0).numpy().shape == ()
    assert np.asarray(tg.tensor(3.0)).item() == 3


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: np.arange(4.0)[::-1], "it has a negative stride"),
        (lambda: np.arange(4.0).astype(">f8"), "its byte order is not this machine's"),
        (lambda: np.frombuffer(bytearray(33), dtype=np.uint8)[1:].view(np.float64),
         "its elements are not aligned"),
        (lambda: np.zeros(3, dtype=[("a", "f4"), ("b", "i1")])["a"],
         "its strides are not whole elements"),
    ],
)  # fmt: skip
def test_bytes_that_cannot_be_shared_are_refused_and_copied_by_tensor(make, why):
    array = make()
    with pytest.raises(ValueError) as error:
        tg.from_numpy(array)
    assert said(error) == (
        f"from_numpy: this array's bytes cannot be shared: {why}; "
        f"use tg.tensor(array), which copies"
    )
    assert tg.tensor(array).tolist() == array.tolist()
    assert tg.as_tensor(array).tolist() == array.tolist()


def test_a_read_only_array_is_copied_with_a_warning():
    array = np.arange(3.0)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="read-only"):
        x = tg.from_numpy(array)
    x.zero_()
    assert array.tolist() == [0, 1, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning):
            tg.from_numpy(array)
        assert tg.as_tensor(np.broadcast_to(1.0, (2, 2))).tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("dtype", ["float128", "uint16", "complex64", "object", "U3", "M8[s]"])
def test_dtypes_that_tensors_do_not_have(dtype):
    array = np.zeros(2).astype(dtype)
    for make in (tg.from_numpy, tg.tensor, tg.as_tensor):
        with pytest.raises(TypeError, match="cannot become a tensor; convert it first"):
            make(array)


def test_from_numpy_wants_an_array():
    with pytest.raises(TypeError) as error:
        tg.from_numpy([1, 2])
    assert said(error) == "from_numpy: array must be a NumPy array, not list"
    with pytest.raises(ValueError, match="at most 8"):
        tg.from_numpy(np.zeros((1,) * 9))


def test_tensor_copies_and_as_tensor_shares():
    array = np.zeros(2)
    copied, shared = tg.tensor(array), tg.as_tensor(array)
    array[0] = 1
    assert copied.tolist() == [0, 0] and shared.tolist() == [1, 0]
    assert tg.as_tensor(shared) is shared
    assert tg.as_tensor(shared, dtype=tg.float32).dtype == tg.float32
    assert tg.as_tensor(array, dtype=tg.float32).dtype == tg.float32
    assert tg.as_tensor([1, 2]).tolist() == [1, 2]
    assert tg.tensor(np.float32(2)).dtype == tg.float32
    assert tg.tensor(np.int32(2)).dtype == tg.int32
    assert tg.tensor(np.zeros(2).view(type("Sub", (np.ndarray,), {}))).tolist() == [0, 0]


def test_numpy_of_a_view_has_its_strides():
    x = tg.arange(6).reshape(2, 3)
    assert x.T.numpy().strides == (8, 24)
    assert x[:, 1:].numpy().tolist() == [[1, 2], [4, 5]]
    assert tg.ones(1).expand(3).numpy().strides == (0,)


def test_a_tensor_on_the_tape_or_elsewhere_is_no_array():
    w = tg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError) as error:
        w.numpy()
    assert said(error) == (
        "numpy: this tensor requires a gradient, which NumPy cannot follow; use x.detach().numpy()"
    )
    with pytest.raises(RuntimeError):
        np.asarray(w)
    assert w.detach().numpy().tolist() == [1, 1]
    assert w.numpy(force=True).tolist() == [1, 1]
    c = tg.ones(2).cuda()
    with pytest.raises(TypeError) as error:
        c.numpy()
    assert said(error) == ("numpy: this tensor is on cuda; use x.cpu().numpy(), which copies")
    assert c.numpy(force=True).tolist() == [1, 1]


def test_numpy_functions_take_tensors():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.asarray(x).ctypes.data == x.data_ptr()
    assert np.array(x).ctypes.data != x.data_ptr()
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert np.sum(np.asarray(x)) == 10
    assert np.stack([x, x]).shape == (2, 2, 2)
    np.testing.assert_array_equal(x, [[1, 2], [3, 4]])
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        with pytest.raises(ValueError):
            np.array(x, dtype=np.int64, copy=False)
