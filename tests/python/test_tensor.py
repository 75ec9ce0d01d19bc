"""Making tensors, and what one tells about itself."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import tapegraph as tg
from errors import said


def test_numbers_and_nested_lists_take_the_dtype_that_they_need():
    assert tg.tensor(3).dtype == tg.int64
    assert tg.tensor(3.0).dtype == tg.float32
    assert tg.tensor(True).dtype == tg.bool
    assert tg.tensor([1, 2.5]).dtype == tg.float32
    assert tg.tensor([True, 2]).dtype == tg.int64
    assert tg.tensor([]).dtype == tg.float32
    assert tg.tensor([[1, 2], [3, 4]]).shape == (2, 2)
    assert tg.tensor([[], []]).shape == (2, 0)
    assert tg.tensor(((1.0,), [2.0])).tolist() == [[1.0], [2.0]]
    assert tg.tensor([tg.tensor(1.5), 2]).tolist() == [1.5, 2.0]
    assert tg.tensor([np.arange(3), np.arange(3)]).shape == (2, 3)


def test_a_dtype_that_is_asked_for_is_given():
    assert tg.tensor([1, 2], dtype=tg.float64).tolist() == [1.0, 2.0]
    assert tg.tensor([1.9, -1.9], dtype=tg.int32).tolist() == [1, -1]
    assert tg.tensor([0, 2], dtype=tg.bool).tolist() == [False, True]
    assert tg.tensor([1, 2], dtype=float).dtype == tg.float64
    assert tg.tensor([1, 2], dtype=int).dtype == tg.int64


def test_the_default_dtype_is_what_floats_become():
    tg.set_default_dtype(tg.float64)
    try:
        assert tg.tensor(1.0).dtype == tg.float64
        assert tg.zeros(2).dtype == tg.float64
    finally:
        tg.set_default_dtype(tg.float32)


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        ([[1, 2], [3]], ValueError, "tensor: data[1] has length 1 and the lists before it length "
                                    "2; the list is ragged"),
        ([[1, 2], 3], TypeError, "tensor: data[1] is an int, where a list of 2 is expected; "
                                 "the list is ragged"),
        ((1, (2,)), TypeError, "tensor: data[1] is a tuple, where a number is expected; the list "
         "is ragged"),
        ([1, [2]], TypeError, "tensor: data[1] is a list, where a number is expected; the list "
                              "is ragged"),
        ([[[1], [2]], [[3], [4, 5]]], ValueError, "tensor: data[1][1] has length 2 and the lists "
                                                  "before it length 1; the list is ragged"),
        ([[[[[[[[[1]]]]]]]]], ValueError, "tensor: lists nested more than 8 deep; a tensor has at "
                                          "most 8 dims"),
    ],
)  # fmt: skip
def test_a_ragged_list_is_an_error_that_says_where(data, kind, text):
    with pytest.raises(kind) as error:
        tg.tensor(data)
    assert said(error) == text


def test_a_list_that_holds_itself_is_too_deep():
    inner = []
    inner.append(inner)
    with pytest.raises(ValueError, match="nested more than 8 deep"):
        tg.tensor(inner)


@pytest.mark.parametrize("data", ["abc", ["a"], [None], {}, object(), [1, "2"], 1j])
def test_what_is_not_a_number_is_an_error(data):
    with pytest.raises((TypeError, RuntimeError), match="a tensor is made of numbers"):
        tg.tensor(data)


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="does not fit an int64"):
        tg.tensor(2**63)
    with pytest.raises(RuntimeError) as error:
        tg.tensor([300], dtype=tg.uint8)
    assert said(error) == "tensor: 300 does not fit uint8, which holds 0 to 255"
    with pytest.raises(RuntimeError, match="does not fit int64"):
        tg.tensor(float("nan"), dtype=tg.int64)
    assert tg.tensor([-(2**63), 2**63 - 1]).tolist() == [-(2**63), 2**63 - 1]


def test_a_wrong_dtype_or_device_is_named():
    with pytest.raises(TypeError) as error:
        tg.tensor(1, dtype=np.float32)
    assert said(error).startswith("tensor: dtype must be one of tapegraph's, as tg.float32, not")
    with pytest.raises(TypeError) as error:
        tg.zeros(2, device=3)
    assert said(error) == 'zeros: device must be "cpu" or "cuda", not int'


def test_zeros_ones_full_and_ranges():
    assert tg.zeros(2, 3).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert tg.zeros((2, 3)).shape == (2, 3)
    assert tg.zeros([]).shape == ()
    assert tg.ones(2, dtype=tg.int64).tolist() == [1, 1]
    assert tg.full((2,), 7).dtype == tg.int64
    assert tg.full((2,), 7.5).tolist() == [7.5, 7.5]
    assert tg.zeros_like(tg.ones(2, 2, dtype=tg.float64)).dtype == tg.float64
    assert tg.full_like(tg.ones(2), 3).tolist() == [3.0, 3.0]
    assert tg.arange(4).tolist() == [0, 1, 2, 3]
    assert tg.arange(1, 8, 3).tolist() == [1, 4, 7]
    assert tg.arange(5, 0, -2).tolist() == [5, 3, 1]
    assert tg.arange(0, 1, 0.25).tolist() == [0, 0.25, 0.5, 0.75]
    assert tg.arange(3.0).dtype == tg.float32
    assert tg.arange(0).shape == (0,)
    with pytest.raises(RuntimeError, match="the wrong way"):
        tg.arange(3, 0)
    with pytest.raises(RuntimeError, match="step must not be 0"):
        tg.arange(0, 3, 0)


def test_a_size_that_overflows_is_an_error_and_not_the_end():
    for shape in [(2**62, 2**62), (2**40,), (-1,), (10**18,), (2**63 - 1,)]:
        with pytest.raises((RuntimeError, MemoryError, ValueError)):
            tg.zeros(*shape)
    with pytest.raises(TypeError, match="does not fit an int64"):
        tg.zeros(2**70)
    assert tg.zeros(2**31, 0, 2**40).shape == (2**31, 0, 2**40)
    with pytest.raises(RuntimeError, match="at most 8 dims"):
        tg.zeros(1, 1, 1, 1, 1, 1, 1, 1, 1)


def test_a_seed_gives_the_same_random_numbers_again():
    tg.manual_seed(7)
    a, b = tg.rand(5), tg.randn(5)
    tg.manual_seed(7)
    assert tg.rand(5).tolist() == a.tolist()
    assert tg.randn(5).tolist() == b.tolist()
    assert all(0 <= x < 1 for x in a.tolist())


def test_the_shape_is_a_tuple_of_its_own_type():
    shape = tg.zeros(2, 3, 4).shape
    assert shape == (2, 3, 4) and isinstance(shape, tuple)
    assert repr(shape) == "tapegraph.Size([2, 3, 4])"
    assert type(shape[1:]) is tg.Size and shape[1:] == (3, 4)
    assert shape[-1] == 4
    assert type(shape + (5,)) is tg.Size
    assert shape.numel() == 24
    assert pickle.loads(pickle.dumps(shape)) == shape
    a, *_ = shape
    assert a == 2


def test_facts_about_a_tensor():
    x = tg.zeros(2, 3)
    assert (x.ndim, x.dim(), x.numel(), len(x)) == (2, 2, 6, 2)
    assert x.size() == (2, 3) and x.size(-1) == 3
    assert x.stride() == (3, 1) and x.T.stride() == (1, 3) and x.stride(0) == 3
    assert x.is_contiguous() and not x.T.is_contiguous()
    assert (x.itemsize, x.nbytes, x.element_size()) == (4, 24, 4)
    assert x[1].storage_offset() == 3
    assert x.device == tg.device("cpu") and x.device.type == "cpu" and x.device.index is None
    assert str(x.device) == "cpu" and repr(x.device) == "device(type='cpu')"
    assert repr(x.dtype) == "tapegraph.float32" and x.dtype.itemsize == 4
    assert x.is_floating_point() and not x.long().is_floating_point()
    assert tg.is_tensor(x) and not tg.is_tensor(3)
    assert x.is_leaf and x.grad is None and x.grad_fn is None
    assert not x.is_cuda and not x.is_symbolic


def test_dtypes_and_devices_survive_pickling_and_copying():
    assert pickle.loads(pickle.dumps(tg.float32)) is tg.float32
    assert copy.deepcopy(tg.int64) is tg.int64
    assert pickle.loads(pickle.dumps(tg.device("cpu"))) == tg.device("cpu")
    assert tg.float is tg.float32 and tg.double is tg.float64 and tg.long is tg.int64


def test_one_element_becomes_a_python_number():
    assert tg.tensor(2.5).item() == 2.5 and type(tg.tensor(2.5).item()) is float
    assert tg.tensor([[3]]).item() == 3 and type(tg.tensor(3).item()) is int
    assert tg.tensor(True).item() is True
    assert float(tg.tensor([2])) == 2.0 and int(tg.tensor(2.9)) == 2
    assert [10, 20, 30][tg.tensor(1)] == 20
    assert bool(tg.tensor([0.5])) and not tg.tensor(0)
    with pytest.raises(RuntimeError):
        tg.zeros(2).item()
    with pytest.raises(TypeError):
        [1][tg.tensor(0.0)]
    with pytest.raises(ValueError):
        int(tg.tensor(float("nan")))
    with pytest.raises(OverflowError):
        int(tg.tensor(float("inf")))
    with pytest.raises(RuntimeError) as error:
        if tg.zeros(2):
            pass
    assert said(error) == (
        "bool: a tensor of shape (2,) has no one truth value; reduce it first, as in x.sum() > 0"
    )


def test_a_tensor_is_a_container_of_its_first_dim():
    x = tg.tensor([[1, 2], [3, 4]])
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3 in x and 9 not in x
    assert x.tolist() == [[1, 2], [3, 4]] and x.T.tolist() == [[1, 3], [2, 4]]
    for ask in (len, iter, list):
        with pytest.raises(TypeError):
            ask(tg.tensor(1))


def test_printing():
    assert repr(tg.tensor([1, 2])) == "tensor([1, 2])"
    assert f"{tg.tensor(1.5):.2f}" == "1.50"
    assert f"{tg.tensor([1, 2])}" == "tensor([1, 2])"
    with pytest.raises(TypeError):
        f"{tg.tensor([1, 2]):.2f}"
    html = tg.ones(2, requires_grad=True)._repr_html_()
    assert html.startswith("<pre>tensor([1., 1.]") and "Size([2])" in html


def test_hash_and_equality_are_pytorchs():
    x, y = tg.ones(2), tg.ones(2)
    assert hash(x) == hash(x) and hash(x) != hash(y)
    assert (x == y).tolist() == [True, True]
    assert {x: 1}[x] == 1
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True


def test_copies_and_pickles():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    d = copy.deepcopy(w)
    assert d.requires_grad and d.tolist() == [1.0, 2.0] and d.data_ptr() != w.data_ptr()
    assert copy.copy(w).data_ptr() == w.data_ptr()
    p = pickle.loads(pickle.dumps(w))
    assert p.requires_grad and p.tolist() == [1.0, 2.0]
    assert pickle.loads(pickle.dumps(tg.tensor([[True]]).T)).tolist() == [[True]]
    with pytest.raises(RuntimeError, match="only leaves"):
        copy.deepcopy(w * 2)


def test_weak_references_see_a_tensor_die():
    x = tg.ones(2)
    r = weakref.ref(x)
    assert r() is x
    del x
    gc.collect()
    assert r() is None


def test_casts_give_the_tensor_itself_where_nothing_changes():
    x = tg.ones(2)
    assert x.float() is x and x.cpu() is x and x.to("cpu") is x and x.contiguous() is x
    assert x.to(tg.float64).dtype == tg.float64
    assert x.to("cpu", tg.int32).dtype == tg.int32
    assert x.to(tg.zeros(1, dtype=tg.int64)).dtype == tg.int64
    assert x.to(dtype=tg.bool).tolist() == [True, True]
    assert x.to(tg.float32, copy=True) is not x
    assert x.type_as(tg.tensor(1)).dtype == tg.int64
    with pytest.raises(TypeError, match="a dtype, a device or a tensor, not float"):
        x.to(3.0)


def test_data_is_the_same_bytes_without_the_tape():
    w = tg.ones(2, requires_grad=True)
    assert not w.data.requires_grad
    w.data -= 0.5
    assert w.tolist() == [0.5, 0.5] and w.requires_grad and w.is_leaf
    w.data = tg.tensor([3.0, 4.0])
    assert w.tolist() == [3.0, 4.0]
    with pytest.raises(RuntimeError, match="keeps its shape"):
        w.data = tg.ones(3)


def test_names_as_in_pytorch_and_in_the_stubs():
    import re
    from pathlib import Path

    stub = (Path(tg.__file__).parent / "_C.pyi").read_text()
    top = re.findall(r"^(?:def|class) (\w+)", stub, re.M)
    inside = re.search(r"^class Tensor:\n(.*?)(?=^# |^class )", stub, re.M | re.S).group(1)
    named = re.findall(r"^    (?:def )?(\w+)(?:[(:]| = )", inside, re.M)
    from tapegraph import _C

    assert [n for n in top if not hasattr(_C, n) and n not in ("ValuesIndices", "MinMax")] == []
    assert [n for n in named if not hasattr(tg.Tensor, n)] == []
    public = [n for n in dir(tg.Tensor) if not n.startswith("_")]
    assert [n for n in public if n not in named] == []
    public = [n for n in dir(_C) if not n.startswith("__")]
    assert [n for n in public if not re.search(rf"^(?:def |class )?{n}\b", stub, re.M)] == []


def test_reversed_turns_the_first_dim_round():
    x = tg.tensor([[1, 2], [3, 4], [5, 6]])
    assert reversed(x).tolist() == [[5, 6], [3, 4], [1, 2]]
    assert reversed(tg.tensor(3)).item() == 3


def test_large_in_place_ops_of_one_operand():
    x = tg.ones(500, 500)
    for name in ("neg_", "exp_", "tanh_", "relu_", "abs_", "sigmoid_"):
        getattr(x, name)()
    assert float(x[0, 0]) == float(x[-1, -1])


def test_gradients_of_gradients_of_gradients_are_let_go_of():
    x = tg.tensor(1.0)
    for _ in range(200_000):
        y = tg.tensor(1.0)
        y.grad = x
        x = y
    del x, y


def test_a_gradient_may_run_code_when_it_dies():
    class Loud(tg.Tensor):
        def __del__(self):
            w.grad = None

    w = tg.ones(3, requires_grad=True)
    w.grad = Loud(tg.ones(3))
    w.sum().backward(create_graph=True)
    assert w.grad.tolist() == [2, 2, 2]


def test_whole_numbers_are_counted_exactly():
    assert tg.arange(2**53, 2**53 + 3).tolist() == [2**53, 2**53 + 1, 2**53 + 2]
    assert tg.arange(2**62 + 1, 2**62 + 4).shape == (3,)
    assert tg.arange(5, 0, -2).tolist() == [5, 3, 1] and tg.arange(3, 3).shape == (0,)
    assert tg.ones(2, 3)[:: 2**63 - 1].shape == (1, 3)
    for number, dtype in ((300, tg.uint8), (-0.5, tg.uint8), (128, tg.int8), (1e30, tg.int64),
                          (2.0**63, tg.int64), (float("nan"), tg.int32)):  # fmt: skip
        for make in (lambda n, d: tg.full((2,), n, dtype=d), lambda n, d: tg.tensor([n], dtype=d)):
            with pytest.raises(
                RuntimeError, match=f"does not fit {dtype!s}".replace("tapegraph.", "")
            ):
                make(number, dtype)
    assert tg.full((1,), 127.5, dtype=tg.int8).item() == 127
    assert tg.full((1,), -(2**63), dtype=tg.int64).item() == -(2**63)
    with pytest.raises(RuntimeError, match=r"clamp .*300 does not fit uint8, which holds 0 to 255"):
        tg.clamp(tg.tensor([1, 4], dtype=tg.uint8), 300)
    assert tg.clamp(tg.tensor([1, 4], dtype=tg.uint8), -1, 3).tolist() == [1, 3]
    assert tg.gather(tg.tensor(5.0), 0, tg.tensor(0)).item() == 5


def test_to_none_and_type_as_in_pytorch():
    x = tg.ones(2)
    assert x.to(None) is x and x.type(tg.float32) is x
    assert x.type(tg.int64).dtype == tg.int64 and x.to(None, tg.float64).dtype == tg.float64
    assert x.type() == "tapegraph.FloatTensor"
    assert tg.tensor([True]).to("cuda").type() == "tapegraph.cuda.BoolTensor"


def test_numbers_too_large_for_an_index_or_a_dim():
    """ValueError in PyTorch, and OverflowError where one calculates with the number."""
    x = tg.ones(2, 2)
    for call in (lambda: x[2**70], lambda: x[0, 2**70], lambda: x.sum(2**70)):
        with pytest.raises(ValueError, match="1180591620717411303424 does not fit an int64"):
            call()
    with pytest.raises(OverflowError):
        x * 2**70


def test_a_number_in_a_cpu_tensor_goes_where_the_others_are():
    """As in PyTorch, on the tape and compiled; its gradient comes back to the CPU."""
    number = tg.tensor(2.0, requires_grad=True)
    x = tg.tensor([1.0, 3.0]).to("cuda")

    def f(number, x):
        return number * x + tg.where(x > number, x, number)

    for called in (f, tg.compile(f)):
        y = called(number, x)
        assert str(y.device) == "cuda" and y.tolist() == [4, 9]
        (g,) = tg.autograd.grad(y.sum(), number)
        assert str(g.device) == "cpu" and g.shape == () and g.item() == 5
    assert tg.lockstep(f, number, x).equal
    assert str((number + tg.tensor(1.0).to("cuda")).device) == "cuda"
    y = tg.zeros(2).to("cuda")
    y += number.detach().double()
    assert y.dtype == tg.float32 and y.tolist() == [2, 2]
    for call in (lambda: tg.ones(1) + x, lambda: tg.ones(2) + tg.tensor(1.0).to("cuda")):
        with pytest.raises(RuntimeError, match="one tensor is on cpu and another on cuda; move"):
            call()
