"""tapegraph.array_api has the standard's names and signatures; the page lists what is missing."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg
import tapegraph.array_api as xp
from array_api_names import FUNCTIONS, LINALG, OF_ARRAYS, OTHERS

PAGE = Path(__file__).resolve().parents[2] / "tutorials" / "ARRAY_API.md"
DTYPES = [xp.bool, xp.int8, xp.int16, xp.int32, xp.int64, xp.uint8, xp.float32, xp.float64]


def missing(names, owner):
    return {name for name in names if not hasattr(owner, name)}


def test_the_page_lists_exactly_what_is_missing():
    gone = missing([*FUNCTIONS, *OTHERS], xp) | missing(OF_ARRAYS, tg.Tensor)
    table = PAGE.read_text().split("## Left out")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])} == gone
    assert missing(LINALG, xp.linalg) == set()


def test_all_has_the_names_that_are_there_and_no_others():
    assert set(xp.__all__) == {*FUNCTIONS, *OTHERS} - missing([*FUNCTIONS, *OTHERS], xp)
    assert set(xp.linalg.__all__) == set(LINALG)


SIGNATURES = [(xp, n, s) for n, s in FUNCTIONS.items()]
SIGNATURES += [(xp.linalg, n, s) for n, s in LINALG.items()]


@pytest.mark.parametrize("owner, name, signature", SIGNATURES, ids=[n for _, n, _ in SIGNATURES])
def test_a_function_has_the_standards_signature(owner, name, signature):
    if name in ("conj", "imag", "real"):
        assert not hasattr(owner, name)
        return
    function = getattr(owner, name)
    got = inspect.signature(function)
    plain = [p.replace(annotation=p.empty) for p in got.parameters.values()]
    assert str(inspect.Signature(plain)) == signature
    assert function.__name__ == name


def test_an_array_gives_its_namespace():
    x = tg.ones(2)
    assert x.__array_namespace__() is xp
    assert x.__array_namespace__(api_version="2023.12") is xp
    with pytest.raises(ValueError, match="not '2030.12'"):
        x.__array_namespace__(api_version="2030.12")


@pytest.mark.parametrize("a", DTYPES, ids=str)
@pytest.mark.parametrize("b", DTYPES, ids=str)
def test_dtypes_are_promoted_as_by_the_ops_and_within_a_kind_as_in_numpy(a, b):
    both = xp.result_type(a, b)
    assert both == (tg.ones(1, dtype=a) + tg.ones(1, dtype=b)).dtype
    assert xp.add(xp.ones((), dtype=a), xp.ones(2, dtype=b)).dtype == both
    assert xp.can_cast(a, b) == (both == b)
    floats = [xp.isdtype(dtype, "real floating") for dtype in (a, b)]
    if floats[0] == floats[1]:  # the standard leaves the rest open
        assert str(both) == f"tapegraph.{np.result_type(str(a)[10:], str(b)[10:])}"


def test_a_number_changes_a_dtype_only_by_its_kind():
    assert xp.result_type(xp.int8, 3) == xp.int8
    assert xp.result_type(xp.bool, 3) == xp.int64
    assert xp.result_type(xp.int8, 0.5) == xp.float32
    assert xp.result_type(xp.float64, True) == xp.float64
    assert xp.add(xp.ones(2, dtype=xp.int8), 1.5).tolist() == [2.5, 2.5]
    with pytest.raises(TypeError, match="list is neither a tensor nor a dtype"):
        xp.result_type(xp.int8, [1])
    with pytest.raises(ValueError, match="at least"):
        xp.result_type(1, 2)


def test_kinds():
    kinds = ("bool", "signed integer", "unsigned integer", "integral", "real floating")
    assert [xp.isdtype(xp.uint8, kind) for kind in kinds] == [False, False, True, True, False]
    assert xp.isdtype(xp.bool, ("numeric", "bool")) and not xp.isdtype(xp.bool, "numeric")
    assert xp.isdtype(xp.int8, xp.int8) and not xp.isdtype(xp.float64, "complex floating")
    with pytest.raises(ValueError, match="'float' is no kind"):
        xp.isdtype(xp.int8, "float")


@pytest.mark.parametrize("name", ["float32", "float64", "float16"])
def test_finfo_is_numpys(name):
    got, want = xp.finfo(getattr(tg, name)), np.finfo(name)
    for field in ("bits", "eps", "max", "min", "smallest_normal"):
        assert getattr(got, field) == float(getattr(want, field))
    assert got.dtype == getattr(tg, name)
    with pytest.raises(ValueError, match="not a floating dtype"):
        xp.finfo(xp.int8)


@pytest.mark.parametrize("name", ["int8", "int16", "int32", "int64", "uint8"])
def test_iinfo_is_numpys(name):
    got, want = xp.iinfo(xp.ones(1, dtype=getattr(xp, name))), np.iinfo(name)
    assert (got.bits, got.min, got.max) == (want.bits, want.min, want.max)
    with pytest.raises(ValueError, match="not an integer dtype"):
        xp.iinfo(xp.float32)


def test_info():
    info = xp.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True}
    assert [str(device) for device in info.devices()] == ["cpu", "cuda"]
    assert str(info.default_device()) == "cpu"
    assert info.default_dtypes()["real floating"] == xp.float32
    assert info.default_dtypes()["integral"] == info.default_dtypes()["indexing"] == xp.int64
    assert list(info.dtypes().values()) == DTYPES
    assert info.dtypes(kind="unsigned integer") == {"uint8": xp.uint8}


# ---- sharing bytes -------------------------------------------------------------------------------
def test_asarray_shares_unless_told_not_to():
    array = np.arange(3.0)
    shared, copied = xp.asarray(array, copy=False), xp.asarray(array, copy=True)
    array[0] = 7
    assert shared.tolist() == [7, 1, 2] and copied.tolist() == [0, 1, 2]
    assert xp.asarray(shared) is shared and xp.asarray(shared, copy=True) is not shared
    assert xp.asarray(memoryview(array), copy=False).tolist() == [7, 1, 2]
    assert xp.asarray(array, dtype=xp.int32).dtype == xp.int32
    for obj in ([1.0], 1.0, np.arange(3, dtype=">i4"), np.broadcast_to(array, (2, 3))):
        with pytest.raises(ValueError, match="cannot be shared"):
            xp.asarray(obj, copy=False)
        assert xp.asarray(obj).tolist() == np.asarray(obj).tolist()
    with pytest.raises(ValueError, match="cannot be shared"):
        xp.asarray(array, dtype=xp.float32, copy=False)


def test_dlpack_shares_the_bytes_both_ways():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    array = np.from_dlpack(x.T)
    x[0, 1] = 9
    assert array.tolist() == [[1, 3], [9, 4]]
    source = np.arange(3)
    y = xp.from_dlpack(source)
    source[0] = 5
    assert y.tolist() == [5, 1, 2]
    assert xp.from_dlpack(source, copy=True).tolist() == [5, 1, 2]
    assert x.__dlpack_device__() == (1, 0)


def test_what_dlpack_cannot_give_is_a_buffer_error():
    with pytest.raises(BufferError, match="requires a gradient"):
        tg.ones(2, requires_grad=True).__dlpack__()
    with pytest.raises(BufferError, match="bfloat16"):
        tg.ones(2, dtype=tg.bfloat16).__dlpack__()
    with pytest.raises(BufferError, match="is on cuda"):
        tg.ones(2).to("cuda").__dlpack_device__()
    with pytest.raises(BufferError, match="to the CPU"):
        tg.ones(2).__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError, match="int has no __dlpack__"):
        xp.from_dlpack(3)


def test_to_device_moves():
    x = tg.ones(2)
    assert x.to_device("cpu") is x
    assert str(x.to_device("cuda").device) == "cuda"
    assert xp.zeros_like(x.to_device("cuda")).is_cuda
    with pytest.raises(ValueError, match="no streams"):
        x.to_device("cpu", stream=1)


# ---- on the tape and in a graph ------------------------------------------------------------------
def test_functions_have_gradients_and_compile():
    def loss(x):
        y = xp.concat([xp.expand_dims(xp.tanh(x), axis=0), xp.linalg.outer(x, x)])
        return xp.std(y) + xp.sum(xp.prod(y, axis=(0, 1)))

    values = []
    for f in (loss, tg.compile(loss)):
        x = tg.tensor([0.5, -1.0, 2.0], dtype=tg.float64, requires_grad=True)
        y = f(x)
        y.backward()
        values.append((y.item(), x.grad.tolist()))
    assert values[0] == values[1]
    assert tg.autograd.gradcheck(
        loss, (tg.tensor([0.5, -1.0, 2.0], dtype=tg.float64).requires_grad_(),)
    )


def test_array_api_compat_takes_tensors():
    compat = pytest.importorskip("array_api_compat")
    x = tg.tensor([[1.0, 2.0, 3.0]])
    assert compat.array_namespace(x, x) is xp
    assert compat.is_array_api_obj(x)
    assert compat.size(x) == 3
    assert str(compat.device(x)) == "cpu"
    assert str(compat.to_device(x, "cuda").device) == "cuda"

    def standardized(array):
        """As a library writes it that knows no namespace."""
        space = compat.array_namespace(array)
        centred = array - space.mean(array, axis=0, keepdims=True)
        return centred / space.std(array, axis=0, correction=1, keepdims=True)

    table = np.random.default_rng(0).standard_normal((5, 3))
    got = standardized(tg.tensor(table))
    np.testing.assert_allclose(got.numpy(), standardized(table), rtol=1e-13)


def test_the_pages_example_runs():
    scope = {}
    exec(re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL).group(1), scope)
    assert scope["y"].detach().numpy() == pytest.approx(np.array([[-1, -1], [1, 1]]) / 2**0.5)
    assert scope["x"].grad is not None
