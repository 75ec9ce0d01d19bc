"""tapegraph.array_api gives what NumPy 2, which keeps to the same standard, gives."""

import re

import numpy as np
import pytest
import tapegraph as tg
import tapegraph.array_api as ours
from array_api_names import FUNCTIONS, LINALG

RNG = np.random.default_rng(3)
ARRAYS = {
    "f": RNG.standard_normal((2, 3)).astype(np.float32),
    "d": RNG.standard_normal((2, 3, 4)),
    "p": RNG.random((2, 3)) * 0.8 + 0.1,
    "big": RNG.random((2, 3)) * 3 + 1,
    "special": np.array([np.nan, -np.inf, -2.5, -0.5, -0.0, 0.0, 0.5, 1.5, np.inf]),
    "i": np.array([[3, -1, 2], [7, 5, -4]], dtype=np.int32),
    "l": np.array([[1, 2, 3], [3, 2, 1]]),
    "s": np.array([5, -6, 7], dtype=np.int8),
    "u": np.array([[1, 200, 3], [0, 5, 200]], dtype=np.uint8),
    "b": np.array([[True, False, True], [False, False, True]]),
    "one": np.array(1.5),
    "none": np.zeros((0, 3)),
    "sorted": np.array([1.0, 2.0, 2.0, 5.0]),
    "places": np.array([2, 0, 0]),
    "a": RNG.standard_normal((2, 3, 3)) + 3 * np.eye(3),
    "spd": np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]]),
    "m": RNG.standard_normal((4, 3)),
    "v": RNG.standard_normal(3),
}
UNARY = """
abs({d}) abs({i}) abs({special}) acos({p}) acosh({big}) asin({p}) asinh({d}) atan({special})
atanh({p}) bitwise_invert({b}) bitwise_invert({u}) bitwise_invert({i}) ceil({special}) ceil({i})
cos({d}) cosh({d}) exp({special}) expm1({f}) floor({special}) floor({u}) isfinite({special})
isfinite({i}) isinf({special}) isnan({special}) isnan({b}) log({big}) log10({big}) log1p({p})
log2({big}) logical_not({b}) negative({i}) negative({special}) positive({i}) positive({f})
round({special}) round({i}) sign({special}) sign({i}) sign({u}) signbit({special}) sin({d})
sinh({d}) sqrt({p}) square({i}) square({f}) tan({d}) tanh({special}) trunc({special}) trunc({i})
abs({none}) negative({one})
""".split()
BINARY = """
add({i},{l}) add({f},{p}) add({u},{s}) add({one},{f}) add({b},{b}) atan2({d[0]},{d[1]})
atan2({special},{special[::2][:,None]}) bitwise_and({i},{l}) bitwise_and({b},{b[0]})
bitwise_left_shift({l},{places}) bitwise_or({u},{s}) bitwise_right_shift({l},{places})
bitwise_xor({i},{s}) copysign({f},{p}) copysign({d[0,0]},-{special[:4]}) divide({f},{p})
divide({special},{big[0,:1]}) equal({i},{l}) equal({special},{special}) floor_divide({i},{l})
floor_divide({d[0]},{d[1]}) greater({f},{p}) greater_equal({i},{l}) hypot({d[0]},{d[1]})
less({u},{s}) less_equal({one},{f}) logaddexp({d[0]},{d[1]}) logical_and({b},{b[::1][:,:1]})
logical_or({b},{b[0]}) logical_xor({b},{b[0]}) maximum({i},{s}) maximum({special},{special[0]})
minimum({f},{p}) minimum({special},{one}) multiply({u},{l}) multiply({one},{f})
not_equal({special},{special}) pow({big},{d[0,:2,:3]}) pow({l},{places}) remainder({i},{l})
remainder({d[0]},{d[1]}) subtract({f},{one}) subtract({i},{u}) where({b},{i},{l})
where({b},{one},{f}) clip({d},-0.5,0.5) clip({i},min=0) clip({i},max=3) clip({d[:,:,0]},{p}-1,{p})
clip({i}) clip({special},-1,1)
""".split()
REDUCTIONS = """
sum({d}) sum({d},axis=1) sum({d},axis=(0,-1)) sum({d},axis=(0,2),keepdims=True) sum({d},axis=())
sum({i}) sum({s},dtype={=int64}) sum({b},axis=0) sum({f}) sum({one}) sum({none},axis=0)
sum({i},dtype={=float64}) prod({d}) prod({d},axis=(0,2)) prod({d},axis=(-1,0),keepdims=True)
prod({i},axis=1) prod({i},axis=()) prod({none}) prod({none},axis=(0,)) prod({f},dtype={=float64})
max({d}) max({i},axis=0) max({d},axis=(0,1)) max({special}) max({d},axis=(),keepdims=True)
min({d}) min({u},axis=-1,keepdims=True) min({d},axis=(1,2)) min({one}) mean({d}) mean({f},axis=0)
mean({d},axis=(0,1),keepdims=True) mean({d},axis=()) var({d}) var({d},axis=(0,2),correction=1)
var({f},axis=1,keepdims=True) var({d},correction=0.5) std({d}) std({d},axis=-1,correction=1.0)
std({d},axis=(0,1)) std({d},axis=()) all({b}) all({b},axis=0) all({i})
all({d},axis=(0,1),keepdims=True) all({none}) any({b}) any({b},axis=(0,1)) any({none},axis=0)
any({b},axis=()) argmax({d}) argmax({d},axis=1) argmax({i},axis=-1,keepdims=True)
argmax({d},keepdims=True) argmin({i}) argmin({d},axis=0) cumulative_sum({v})
cumulative_sum({d},axis=1) cumulative_sum({i},axis=-1)
cumulative_sum({i},axis=0,include_initial=True) cumulative_sum({s},dtype={=float32})
cumulative_sum({b},axis=0) cumulative_sum({f},axis=-2)
""".split()
LAYOUT = """
broadcast_to({v},(2,3)) broadcast_arrays({v},{f},{one}) concat([{i},{l}]) concat([{f},{p}],axis=1)
concat([{i},{v}],axis=None) concat([{none},{p}]) expand_dims({d},axis=1) expand_dims({d},axis=-1)
expand_dims({d},axis=3) flip({d}) flip({d},axis=1) flip({d},axis=(0,-1)) moveaxis({d},0,2)
moveaxis({d},(0,1),(-1,0)) permute_dims({d},(2,0,1)) repeat({i},2) repeat({d},3,axis=1)
repeat({v},{places}) repeat({f},{places[:2]},axis=0) repeat({m},{places[:1]},axis=-1)
repeat({none},2,axis=0) reshape({d},(4,6)) reshape({d},(-1,)) reshape({d},(6,4),copy=True)
reshape({d},(3,8),copy=False) roll({d},1) roll({d},-2,axis=1) roll({d},(1,2),axis=(0,2))
roll({d},1,axis=(0,1)) squeeze({d[:1]},0) squeeze({d[:1,:,:1]},(0,-1)) stack([{i},{l}])
stack([{f},{p}],axis=-1) tile({f},(2,)) tile({f},(2,1,3)) tile({d},(2,)) unstack({d})
unstack({d},axis=-1) take({v},{places}) take({d},{places},axis=1) take({m},{places},axis=-1)
take({v},-{places[:1]}) tril({d}) tril({i},k=1) triu({d},k=-1) triu({b})
""".split()
SEARCH = """
argsort({d}) argsort({l},axis=0) argsort({i}) sort({d}) sort({d},axis=0) sort({special}) sort({u})
searchsorted({sorted},{p}) searchsorted({sorted},{sorted})
searchsorted({sorted},{sorted},side="right")
searchsorted({sorted[::-1]},{m},sorter={np.arange(4)[::-1]}) searchsorted({sorted},{l})
nonzero({i}-3) nonzero({b}) nonzero({d}) unique_all({u}) unique_all({sorted}) unique_all({none})
unique_counts({l}) unique_inverse({l}) unique_inverse({one}) unique_values({b})
unique_values({special[1:]})
""".split()
PRODUCTS = """
matmul({a},{m[:3]}) matmul({i},{v}) matmul({l},{i.T}) matrix_transpose({d})
tensordot({d},{d},axes=3) tensordot({m},{v},axes=1) tensordot({v},{v},axes=0)
tensordot({d},{d},axes=((0,1),(0,1))) vecdot({m},{v}) vecdot({d},{d[0]},axis=-2) vecdot({i},{l})
vecdot({s},{s})
""".split()
CREATION = """
arange(5) arange(2,11,3) arange(1.5) arange(0,1,0.25) arange(5,0,-2) arange(3,1)
arange(4,dtype={=int8}) asarray(3) asarray([1,2]) asarray([[1.5],[2]]) asarray([True]) asarray([])
asarray({i}) asarray([1,2],dtype={=uint8}) asarray({f},dtype={=float64}) eye(3) eye(2,4)
eye(3,k=-1) eye(2,3,k=1,dtype={=int8}) full((2,3),7) full(2,True) full((),1.5)
full((2,),3,dtype={=float64}) full_like({i},4) full_like({i},4,dtype={=float32}) linspace(0,1,5)
linspace(0,1,5,endpoint=False) linspace(2,-1,4,dtype={=float64}) linspace(0,1,1) linspace(0,1,0)
linspace(0,1,1,endpoint=False) meshgrid({v},{m[:,0]}) meshgrid({v},{v},{v},indexing="ij")
meshgrid({v}) ones(3) ones((2,0)) ones_like({i}) zeros((2,3)) zeros(()) zeros(2,dtype={=bool})
zeros_like({d}) zeros_like({d},dtype={=int16}) from_dlpack({d}) astype({i},{=float32})
astype({special[2:-1]},{=int64}) astype({d},{=bool})
""".split()
MATRICES = """
cholesky({spd}) cholesky({spd},upper=True) cross({v},{m[0]}) cross({m},{v})
cross({m.T},{m.T},axis=0) cross({i},{l}) det({a}) diagonal({d}) diagonal({d},offset=1)
diagonal({i},offset=-1) eigvalsh({spd}) inv({a}) matmul({a},{a}) matrix_norm({d})
matrix_norm({d},ord=1) matrix_norm({d},ord=-1) matrix_norm({d},ord="nuc",keepdims=True)
matrix_norm({m},ord=2) matrix_norm({m},ord=-2) matrix_norm({m},ord=xp.inf) matrix_power({a},3)
matrix_power({a},0) matrix_power({a},-2) matrix_rank({a}) matrix_rank({m},rtol=0.9)
matrix_rank({d},rtol={p[0,:2]}) matrix_transpose({d}) outer({v},{sorted}) outer({s},{places})
pinv({m}) pinv({m},rtol=0.5) slogdet({a}) solve({a},{m[:3]}) solve({a},{v}) solve({spd},{v})
solve({a[:1]},{a}) solve({a},{d[:,:,:2]}) svdvals({m}) svdvals({d}) tensordot({m},{m},axes=2)
trace({d}) trace({d},offset=1) trace({i}) trace({s[None]},dtype={=float32}) vecdot({m},{v})
vector_norm({d}) vector_norm({d},axis=1) vector_norm({d},axis=(0,2),keepdims=True)
vector_norm({d},ord=1) vector_norm({v},ord=xp.inf) vector_norm({d},axis=0,ord=3)
vector_norm({v},ord=0) vector_norm({d},axis=-1,ord=-xp.inf)
""".split()
CALLS = [f"xp.{c}" for c in UNARY + BINARY + REDUCTIONS + LAYOUT + SEARCH + PRODUCTS + CREATION]
CALLS += [f"xp.linalg.{call}" for call in MATRICES]
# A result that Python's numbers alone decide is of the default dtype, which is float32 here.
NEW = ("arange", "asarray([", "eye", "full(", "linspace", "ones(", "zeros(")


def results(xp, call):
    """`{f[0]}` is that part of the array f, `{=int8}` the namespace's dtype."""
    given = {}

    def name(found):
        text = found.group(1)
        if text.startswith("="):
            return f"xp.{text[1:]}"
        part = eval(text, {"np": np}, ARRAYS)
        key = f"given{len(given)}"
        given[key] = np.array(part) if xp is np else tg.tensor(np.array(part))
        return key

    made = eval(re.sub(r"\{(.*?)\}", name, call), {"xp": xp, **given})
    return list(made) if isinstance(made, (tuple, list)) else [made]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_gives_numpys_values_shapes_and_dtypes(call):
    name = re.match(r"xp\.((?:linalg\.)?\w+)", call).group(1)
    if not hasattr(np.linalg if "." in name else np, name.split(".")[-1]):
        pytest.skip(f"this NumPy has no {name}")
    with np.errstate(all="ignore"):
        want = results(np, call)
    got = results(ours, call)
    assert len(got) == len(want)
    for one, other in zip(got, want):
        assert isinstance(one, tg.Tensor)
        other = np.asarray(other)
        assert tuple(one.shape) == other.shape
        dtype = str(one.dtype).replace("tapegraph.", "")
        expected = other.dtype.name.replace("uint64", "int64")
        if call.startswith(tuple(f"xp.{name}" for name in NEW)) and "{" not in call:
            expected = expected.replace("float64", "float32")
        assert dtype == expected
        loose = 1e-5 if "float32" in (dtype, other.dtype.name) else 1e-9
        np.testing.assert_allclose(one.numpy().astype(other.dtype), other, loose, loose)


def test_every_function_has_a_call():
    elsewhere = {"empty", "empty_like", "__array_namespace_info__", "conj", "imag", "real"}
    elsewhere |= {"can_cast", "finfo", "iinfo", "isdtype", "result_type"}
    called = {re.match(r"xp\.(?:linalg\.)?(\w+)", call).group(1) for call in CALLS}
    assert called | elsewhere | {"eigh", "qr", "svd"} == {*FUNCTIONS, *LINALG}


def near(got, want):
    np.testing.assert_allclose(got.numpy(), want.numpy(), 1e-10, 1e-10)


def test_factors_multiply_to_the_matrix():
    m, spd = tg.tensor(ARRAYS["m"]), tg.tensor(ARRAYS["spd"])
    values, vectors = ours.linalg.eigh(spd)
    near(vectors * values @ vectors.mT, spd)
    q, r = ours.linalg.qr(m)
    near(q @ r, m)
    assert tuple(ours.linalg.qr(m, mode="complete").Q.shape) == (4, 4)
    u, s, vh = ours.linalg.svd(m, full_matrices=False)
    near(u * s @ vh, m)
    assert tuple(ours.linalg.svd(m).U.shape) == (4, 4)
    assert ours.linalg.svd(m)._fields == ("U", "S", "Vh")
    assert ours.linalg.slogdet(spd)._fields == ("sign", "logabsdet")
    with pytest.raises(ValueError, match="neither 'reduced' nor 'complete'"):
        ours.linalg.qr(m, mode="r")


def test_descending_keeps_equal_elements_as_they_stood():
    x = tg.tensor([1, 2, 1, 2])
    assert ours.argsort(x, descending=True).tolist() == [1, 3, 0, 2]
    assert ours.sort(x, descending=True).tolist() == [2, 2, 1, 1]


def test_each_nan_is_different_and_the_zeros_are_one():
    x = ours.asarray([[np.nan, 0.0], [-0.0, np.nan]])
    values, indices, inverse, counts = ours.unique_all(x)
    assert (
        counts.tolist() == [2, 1, 1]
        and values[0] == 0
        and ours.isnan(values).tolist()[1:]
        == [
            True,
            True,
        ]
    )
    assert indices[0] == 1 and tuple(inverse.shape) == (2, 2)
    assert inverse[0, 1] == inverse[1, 0] == 0


def test_empty_tensors_have_their_shape_and_dtype():
    assert tuple(ours.empty((2, 3)).shape) == (2, 3) and ours.empty(2).dtype == ours.float32
    like = ours.empty_like(ours.zeros((2, 1), dtype=ours.int8))
    assert tuple(like.shape) == (2, 1) and like.dtype == ours.int8


ERRORS = {
    "squeeze({d}, 0)": (ValueError, r"squeeze.*dim 0 of \(2, 3, 4\) is 2, not 1"),
    "expand_dims({d}, axis=4)": (IndexError, "expand_dims.*axis 4 of a tensor of 4 dims"),
    "expand_dims({d}, axis=-5)": (IndexError, "expand_dims.*axis -5 of a tensor of 4 dims"),
    "reshape(xp.permute_dims({d}, (2, 1, 0)), (24,), copy=False)": (ValueError, "has no view of"),
    "take({d}, {places})": (ValueError, "take.*give an axis"),
    "take({v}, {places} + 3, axis=0)": (IndexError, "5"),
    "cumulative_sum({d})": (ValueError, "cumulative_sum.*give an axis"),
    "nonzero({one})": (ValueError, "a tensor of no dims has no places"),
    "matrix_transpose({v})": (ValueError, r"\(3,\) is not a matrix"),
    "vecdot({v}, {sorted})": (ValueError, "vectors of 3 and 4 elements"),
    "vecdot({v}, {m}, axis=0)": (IndexError, "vecdot.*axis 0 of 1 and 2 dims"),
    "meshgrid({v}, {places})": (ValueError, "must be of one dtype"),
    "max({none})": (IndexError, "no elements"),
}


@pytest.mark.parametrize("call", ERRORS)
def test_a_mistake_is_an_error(call):
    kind, text = ERRORS[call]
    with pytest.raises(kind, match=text):
        results(ours, f"xp.{call}")
