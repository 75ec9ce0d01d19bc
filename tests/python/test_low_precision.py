"""float16 and bfloat16: stored in two bytes, computed in float32, rounded once; and autocast.

References are computed here in float32 or float64 and rounded by NumPy (float16), or by cutting a
float32's bits (bfloat16).
"""

import itertools
import pickle

import numpy as np
import pytest
import tapegraph as tg

F = tg.nn.functional
LOW = [tg.float16, tg.bfloat16]


def rounded(x, dtype):
    """float64 or float32 numbers to the nearest of the dtype, halves to even, as float64."""
    x = np.asarray(x, np.float32)
    if dtype == tg.float16:
        with np.errstate(over="ignore"):
            return x.astype(np.float16).astype(np.float64)
    bits = x.view(np.uint32).astype(np.uint64)
    cut = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint32) << 16
    return np.where(np.isnan(x), np.nan, cut.astype(np.uint32).view(np.float32)).astype(np.float64)


def numbers(t):
    return np.array(t.double().tolist())


def ulp(y, dtype):
    """The distance of the dtype's numbers at y."""
    digits, least = (10, -14) if dtype == tg.float16 else (7, -126)
    exponent = np.floor(np.log2(np.maximum(np.abs(y), 2.0**least)))
    return 2.0 ** (exponent - digits)


# ---- the numbers themselves ---------------------------------------------------------------------
def test_every_float16_survives_float32_and_back():
    bits = np.arange(65536, dtype=np.uint16)
    x = bits.view(np.float16)
    t = tg.from_numpy(x.copy())
    assert t.dtype == tg.float16
    assert np.array_equal(t.float().numpy(), x.astype(np.float32), equal_nan=True)
    back = t.float().half().numpy()
    assert np.array_equal(back[~np.isnan(x)].view(np.uint16), bits[~np.isnan(x)])
    assert np.isnan(back[np.isnan(x)]).all()


def test_every_bfloat16_survives_float32_and_back():
    bits = np.arange(65536, dtype=np.uint32) << 16
    x = bits.view(np.float32)
    t = tg.tensor(x).bfloat16()
    back = t.float().numpy()
    assert np.array_equal(back[~np.isnan(x)].view(np.uint32), bits[~np.isnan(x)])
    assert np.isnan(back[np.isnan(x)]).all()


@pytest.mark.parametrize("dtype", LOW)
def test_rounding_is_to_the_nearest_and_halves_to_even(dtype):
    rng = np.random.default_rng(0)
    x = np.concatenate([
        rng.integers(0, 2**32, 200_000, dtype=np.uint64).astype(np.uint32).view(np.float32),
        np.float32([65504, 65519.996, 65520, 65536, 6e-8, 3e-8, 2.98e-8, 0, -0.0, np.inf, -np.inf]),
    ])  # fmt: skip
    y = tg.tensor(x).to(dtype).double().numpy()
    want = rounded(x, dtype)
    assert np.array_equal(y, want, equal_nan=True)
    assert np.array_equal(np.signbit(y[~np.isnan(y)]), np.signbit(want[~np.isnan(want)]))


def test_dtypes_promote_as_in_pytorch():
    of = {d: tg.ones(2, dtype=d) for d in (*LOW, tg.float32, tg.float64, tg.int64, tg.bool)}
    assert (of[tg.float16] + of[tg.bfloat16]).dtype == tg.float32
    for low in LOW:
        assert (of[low] + of[tg.int64]).dtype == low
        assert (of[low] + of[tg.bool]).dtype == low
        assert (of[low] + of[tg.float32]).dtype == tg.float32
        assert (of[low] + of[tg.float64]).dtype == tg.float64
        assert (of[low] * 2.5).dtype == low
        assert (of[low] + tg.tensor(1.0)).dtype == low
        assert (of[low] > 0).dtype == tg.bool
    assert tg.half is tg.float16 and tg.float16.itemsize == 2 and tg.bfloat16.is_floating_point


def test_int16_is_what_uint8_and_int8_meet_in():
    assert (tg.tensor([200], dtype=tg.uint8) + tg.tensor([-3], dtype=tg.int8)).dtype == tg.int16
    x = tg.tensor([32767, -32768], dtype=tg.int16)
    assert (x + 1).tolist() == [-32768, -32767]
    assert x.sum().dtype == tg.int64
    assert tg.from_numpy(np.array([1, -2], np.int16)).dtype == tg.int16
    assert (x + tg.ones(1, dtype=tg.int32)).dtype == tg.int32


@pytest.mark.parametrize("dtype", LOW)
def test_they_print_save_pickle_and_copy(dtype, tmp_path):
    x = tg.tensor([[0.1, -2.5], [float("inf"), 3.0]]).to(dtype)
    assert f"dtype={'float16' if dtype == tg.float16 else 'bfloat16'}" in repr(x)
    tg.save({"x": x}, tmp_path / "x.safetensors")
    for y in (tg.load(tmp_path / "x.safetensors")["x"], pickle.loads(pickle.dumps(x)), x.clone()):
        assert y.dtype == dtype and y.tolist() == x.tolist()
    assert x[0, 1].item() == -2.5
    assert x.T.contiguous()[1].tolist() == [-2.5, 3.0]


def test_numpy_has_no_bfloat16():
    with pytest.raises(TypeError, match=r"NumPy has no bfloat16; .*x.float\(\)"):
        tg.ones(2, dtype=tg.bfloat16).numpy()


# ---- ops round once -----------------------------------------------------------------------------
ONCE = {
    "exp": lambda x: x.exp(),
    "tanh": lambda x: x.tanh(),
    "softmax": lambda x: x.softmax(1),
    "log_softmax": lambda x: x.log_softmax(1),
    "logsumexp": lambda x: x.logsumexp(1),
    "sum": lambda x: x.sum(0),
    "mean": lambda x: x.mean(1),
    "var": lambda x: x.var(1),
    "std": lambda x: x.std(1),
    "norm": lambda x: x.norm(dim=1),
    "prod": lambda x: x[:, :4].prod(1),
    "cumsum": lambda x: x.abs().cumsum(1),
    "amax": lambda x: x.amax(1),
    "sort": lambda x: x.sort(1).values,
    "silu": lambda x: F.silu(x),
    "gelu": lambda x: F.gelu(x),
    "softplus": lambda x: F.softplus(x),
    "elu": lambda x: F.elu(x),
    "mish": lambda x: F.mish(x),
    "glu": lambda x: F.glu(x),
    "layer_norm": lambda x: F.layer_norm(x, (x.shape[-1],)),
    "matmul": lambda x: x @ x.T,
    "cat": lambda x: tg.cat([x, x.flip(0)]),
    "index": lambda x: x[tg.tensor([2, 0])],
    "where": lambda x: tg.where(x > 0, x, -x),
    "mse_loss": lambda x: F.mse_loss(x, x.flip(0)),
    "cross_entropy": lambda x: F.cross_entropy(x, tg.arange(x.shape[0])),
    "conv": lambda x: F.conv1d(x[None], x[:2, None, :3].expand(2, 6, 3)),
    "sinc": lambda x: x.sinc(),
    "selu": lambda x: F.selu(x),
    "celu": lambda x: F.celu(x, 0.7),
    "logaddexp": lambda x: tg.logaddexp(x, x.flip(0)),
    "logcumsumexp": lambda x: x.logcumsumexp(1),
    "quantile": lambda x: x.quantile(0.37, dim=1),
    "cross": lambda x: tg.linalg.cross(x[:, :3], x[:, 3:6]),
    "vecdot": lambda x: tg.linalg.vecdot(x, x.flip(0)),
    "matrix_norm": lambda x: tg.linalg.matrix_norm(x) + tg.linalg.matrix_norm(x, 1) * 0,
    "matrix_power": lambda x: tg.linalg.matrix_power(x[:, :6], 3),
    "addr": lambda x: tg.addr(x, x[:, 0], x[0]),
    "addmv": lambda x: tg.addmv(x[:, 0], x, x[0]),
    "baddbmm": lambda x: tg.baddbmm(x[None, :, :6], x[None], x.T[None], beta=0.5, alpha=2),
    "addbmm": lambda x: tg.addbmm(x[:, :6], x[None], x.T[None]),
    "bilinear": lambda x: F.bilinear(x[:, :2], x[:, 2:4], x[:, :4].reshape(6, 2, 2), x[0, :6]),
    "normalize": lambda x: F.normalize(x),
    "cosine_similarity": lambda x: F.cosine_similarity(x, x.flip(0)),
    "pairwise_distance": lambda x: F.pairwise_distance(x, x.flip(0)),
    "rms_norm": lambda x: F.rms_norm(x, (8,), x[0]),
    "instance_norm": lambda x: F.instance_norm(x[None], None, None, x[:, 0], x[:, 1]),
    "local_response_norm": lambda x: F.local_response_norm(x[None], 3, 0.5),
    "lp_pool1d": lambda x: F.lp_pool1d(x, 2.0, 2),
    "lp_pool2d": lambda x: F.lp_pool2d(x[None], 2.0, 2),
    "bilinear image": lambda x: F.interpolate(x[None, None], (7, 11), mode="bilinear"),
    "bicubic image": lambda x: F.interpolate(x[None, None], (7, 11), mode="bicubic"),
    "multi_margin_loss": lambda x: F.multi_margin_loss(x, tg.arange(6), 2, weight=x[0].abs()),
}


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("name", ONCE)
def test_results_are_within_one_ulp(name, dtype):
    tg.manual_seed(3)
    x = tg.randn(6, 8).to(dtype)
    y = ONCE[name](x)
    assert y.dtype == dtype
    want = numbers(ONCE[name](x.double()))
    assert (np.abs(numbers(y) - want) <= ulp(want, dtype)).all()


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("name", ["exp", "silu", "softmax", "gelu", "layer_norm", "matmul", "mean",
                                  "cross_entropy", "glu", "std"])  # fmt: skip
def test_gradients_are_within_two_ulp(name, dtype):
    tg.manual_seed(4)
    x = tg.randn(6, 8).to(dtype)

    def gradient(x):
        x = x.detach().requires_grad_()
        y = ONCE[name](x)
        tg.manual_seed(5)
        y.backward(tg.randn(y.shape).to(dtype).to(y.dtype))
        assert x.grad.dtype == x.dtype
        return numbers(x.grad)

    want = gradient(x.double())
    tolerance = 2 * ulp(want, dtype) + (ulp(np.abs(want).max(), dtype) if name == "matmul" else 0)
    assert (np.abs(gradient(x) - want) <= tolerance).all()


@pytest.mark.parametrize("dtype", LOW)
def test_a_program_gives_the_tapes_bits(dtype):
    tg.manual_seed(6)
    x, w = tg.randn(5, 8).to(dtype), tg.randn(8, 8).to(dtype).requires_grad_()

    def step(x):
        h = tg.tanh(x @ w) * 0.3 + x / 3
        loss = (F.layer_norm(h, (8,)).softmax(1) * h).sum()
        (g,) = tg.autograd.grad(loss, w)
        return loss, g, h.exp() > 1

    plain = step(x)
    for executor in ("lines", "planned", "fused"):
        made = tg.compile(step, executor=executor)(x)
        for a, b in zip(plain, made):
            assert a.dtype == b.dtype and a.tolist() == b.tolist()


def test_on_cuda_it_is_the_cpus_result():
    x = tg.randn(4, 5).half()
    assert ((x.to("cuda") * 2 + 1).exp().sum(1)).cpu().tolist() == (x * 2 + 1).exp().sum(1).tolist()


def test_a_module_in_bfloat16_learns():
    tg.manual_seed(0)
    model = tg.nn.Sequential(tg.nn.Linear(4, 16), tg.nn.Tanh(), tg.nn.Linear(16, 1)).bfloat16()
    assert all(p.dtype == tg.bfloat16 for p in model.parameters())
    x = tg.randn(64, 4, dtype=tg.float32).bfloat16()
    y = x.sum(1, keepdim=True)
    optimizer = tg.optim.SGD(model.parameters(), 0.1)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize("low", LOW)
def test_a_wider_operand_widens_the_result(low):
    x, wide = tg.rand(4, 4).to(low), tg.rand(4, 4)
    for f in (
        F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.kl_div, F.cross_entropy,
        F.poisson_nll_loss, F.multilabel_soft_margin_loss,
        lambda a, b: F.gaussian_nll_loss(a, b, b), lambda a, b: F.triplet_margin_loss(a, b, b),
        lambda a, b: F.margin_ranking_loss(a, b, b),
        lambda a, b: tg.addcmul(a, b, b), lambda a, b: tg.addcdiv(a, b, b), F.cosine_similarity,
    ):  # fmt: skip
        assert f(x, wide).dtype == tg.float32
        assert tg.allclose(f(x, wide), f(x.float(), wide), rtol=1e-6)
        assert f(x, x).dtype == low
    for f in (F.huber_loss, F.soft_margin_loss, F.hinge_embedding_loss):  # these are input's
        assert f(x, wide).dtype == low
    for f, text in (
        (lambda: F.linear(x, wide), "x is .*16 and weight float32; cast one"),
        (lambda: F.linear(x, x, wide[0]), "x is .*16 and bias float32; cast one"),
        (lambda: F.prelu(x, wide[0]), "input is .*16 and weight float32; cast one"),
        (lambda: F.scaled_dot_product_attention(x, x, wide), "query is .*16 and value float32"),
        (lambda: tg.addmv(x[0], wide, wide[0]), "input is .*16 and the first factor float32"),
    ):
        with pytest.raises(RuntimeError, match=text):
            f()


# ---- autocast -----------------------------------------------------------------------------------
LOWERED = {
    "matmul": lambda a: a @ a,
    "mm": lambda a: tg.mm(a, a),
    "bmm": lambda a: tg.bmm(a[None], a[None]),
    "baddbmm": lambda a: tg.baddbmm(a[None], a[None], a[None]),
    "addbmm": lambda a: tg.addbmm(a, a[None], a[None]),
    "vecdot": lambda a: tg.linalg.vecdot(a, a),
    "matrix times vector": lambda a: a @ a[0],
    "inner of matrices": lambda a: tg.inner(a, a),
    "tensordot of one dim": lambda a: tg.tensordot(a, a, ([0], [0])),
    "addmm": lambda a: tg.addmm(a, a, a),
    "linear": lambda a: F.linear(a, a, a[0]),
    "conv1d": lambda a: F.conv1d(a[None], a[:, :, None]),
    "conv2d": lambda a: F.conv2d(a[None, None], a[None, None]),
    "conv_transpose2d": lambda a: F.conv_transpose2d(a[None, None], a[None, None]),
    "attention": lambda a: F.scaled_dot_product_attention(a[None], a[None], a[None]),
    "einsum": lambda a: tg.einsum("ij,jk->ik", a, a),
    "prelu": lambda a: F.prelu(a, a[0, :1]),
}


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("name", LOWERED)
def test_autocast_lowers_products(name, dtype):
    a = tg.randn(4, 4)
    with tg.autocast("cpu", dtype=dtype):
        y = LOWERED[name](a)
        assert LOWERED[name](a.double()).dtype == tg.float64
    assert y.dtype == dtype
    assert y.tolist() == LOWERED[name](a.to(dtype)).tolist()
    assert LOWERED[name](a).dtype == tg.float32


def test_autocast_widens_losses_and_leaves_the_rest():
    a = tg.randn(4, 4)
    with tg.autocast("cpu"):
        assert tg.is_autocast_enabled("cpu") and tg.get_autocast_dtype("cpu") == tg.bfloat16
        h = a @ a
        assert F.mse_loss(h, h).dtype == tg.float32
        assert F.cross_entropy(h, tg.arange(4)).dtype == tg.float32
        assert h.prod().dtype == tg.float32
        assert h.softmax(0).dtype == tg.bfloat16
        assert (h + a).dtype == tg.float32
        assert tg.cat([h, a]).dtype == tg.float32
        with tg.autocast("cpu", enabled=False):
            assert (a @ a).dtype == tg.float32
        assert (a @ a).dtype == tg.bfloat16
    assert not tg.is_autocast_enabled("cpu")


# PyTorch 2.15 gives float32 for all of these: the first from tensors of low precision (but what it
# makes of whole numbers), the second from float32.
WIDENED = {
    "huber_loss": lambda a: F.huber_loss(a, a),
    "multi_margin_loss": lambda a: F.multi_margin_loss(a, tg.arange(4)),
    "quantile": lambda a: a.quantile(0.5),
    "nanquantile": lambda a: a.nanquantile(0.5),
    "trace": lambda a: a.trace(),
    "pad reflect": lambda a: F.pad(a, (1, 1), mode="reflect"),
    "pad replicate": lambda a: F.pad(a, (1, 1), mode="replicate"),
    "inv": lambda a: tg.linalg.inv(a),
    "pinverse": lambda a: a.pinverse(),
    "solve": lambda a: tg.linalg.solve(a, a),
    "lstsq": lambda a: tg.linalg.lstsq(a, a).solution,
    "cholesky": lambda a: tg.linalg.cholesky(a),
    "cholesky_ex": lambda a: tg.linalg.cholesky_ex(a)[0],
    "cholesky_inverse": lambda a: tg.cholesky_inverse(a),
    "cholesky_solve": lambda a: tg.cholesky_solve(a, a),
    "qr": lambda a: tg.linalg.qr(a)[1],
    "svd": lambda a: tg.linalg.svd(a)[1],
    "svdvals": lambda a: tg.linalg.svdvals(a),
    "eigh": lambda a: tg.linalg.eigh(a)[0],
    "eigvalsh": lambda a: tg.linalg.eigvalsh(a),
    "cond": lambda a: tg.linalg.cond(a),
}
LEFT_ALONE = {
    "mv": lambda a: tg.mv(a, a[0]),
    "dot": lambda a: tg.dot(a[0], a[0]),
    "vdot": lambda a: tg.vdot(a[0], a[0]),
    "inner of vectors": lambda a: tg.inner(a[0], a[0]),
    "addmv": lambda a: tg.addmv(a[0], a, a[0]),
    "addr": lambda a: tg.addr(a, a[0], a[0]),
    "tensordot of all dims": lambda a: tg.tensordot(a, a),
    "bilinear": lambda a: F.bilinear(a, a, a[None]),
    "lstsq": lambda a: tg.linalg.lstsq(a, a).solution,
    "layer_norm": lambda a: F.layer_norm(a, (4,)),
}


def test_which_ops_autocast_widens_and_which_it_leaves_alone():
    a = tg.eye(4) * 3 + 0.5
    for low in LOW:
        with tg.autocast("cpu", dtype=low):
            for name, f in WIDENED.items():
                assert f(a.to(low)).dtype == tg.float32, name
                assert tg.allclose(f(a.to(low)), f(a), rtol=1e-3, atol=1e-3), name
                assert f(a.double()).dtype == tg.float64, name
            for name, f in LEFT_ALONE.items():
                assert f(a).dtype == tg.float32, name
            for f in (
                lambda x: F.gaussian_nll_loss(x, x, x),
                lambda x: F.multilabel_soft_margin_loss(x, x),
                lambda x: tg.linalg.matrix_power(x, 2),
            ):
                assert f(a.to(low)).dtype == low
            copied = a.index_copy(0, tg.tensor([0]), a[:1].to(low))
            assert copied.dtype == tg.float32 and tg.equal(copied, a)
            assert tg.linalg.matrix_rank(a.to(low)).item() == 4


def test_under_autocast_gradients_have_the_weights_dtype():
    w = tg.randn(4, 4, requires_grad=True)
    with tg.autocast("cpu"):
        loss = F.mse_loss(tg.randn(8, 4) @ w, tg.zeros(8, 4))
        loss.backward()
    assert w.grad.dtype == tg.float32


def test_autocast_is_part_of_a_compiled_functions_key():
    f = tg.compile(lambda a: a @ a)
    a = tg.randn(3, 3)
    assert f(a).dtype == tg.float32
    with tg.autocast("cpu"):
        assert f(a).dtype == tg.bfloat16
        assert "autocast to bfloat16 is on now" in str(f.explain())
    assert f(a).dtype == tg.float32

    @tg.compile
    @tg.autocast("cpu")
    def inside(a):
        return a @ a

    assert inside(a).dtype == tg.bfloat16


def test_autocast_says_what_it_takes():
    with pytest.raises(RuntimeError, match="'cpu' or 'cuda', not 'xpu'"):
        tg.autocast("xpu")
    with pytest.warns(UserWarning, match="bfloat16 or float16, not .*float32; autocast stays off"):
        off = tg.autocast("cpu", dtype=tg.float32)
    with off:
        assert tg.mm(tg.eye(2), tg.eye(2)).dtype == tg.float32


# ---- GradScaler ---------------------------------------------------------------------------------
def test_the_scale_halves_at_an_overflow_and_doubles_after_good_steps():
    w = tg.ones(2, requires_grad=True)
    optimizer = tg.optim.SGD([w], 0.5)
    scaler = tg.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)

    def step(factor):
        optimizer.zero_grad()
        scaler.scale((w * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        return scaler.get_scale()

    assert step(1.0) == 8.0 and w.tolist() == [0.5, 0.5]
    assert step(1.0) == 16.0 and w.tolist() == [0.0, 0.0]
    assert step(float("inf")) == 8.0 and w.tolist() == [0.0, 0.0]
    state = scaler.state_dict()
    other = tg.amp.GradScaler("cpu")
    other.load_state_dict(state)
    assert other.state_dict() == state


def test_a_scaler_wants_a_scaled_loss():
    optimizer = tg.optim.SGD([tg.ones(2, requires_grad=True)], 0.5)
    for call in (lambda s: s.step(optimizer), lambda s: s.unscale_(optimizer)):
        with pytest.raises(AssertionError, match=r"no loss was scaled before; call scale\(loss\)"):
            call(tg.amp.GradScaler("cpu"))


def test_a_scaler_refuses_steps_out_of_order():
    w = tg.ones(2, requires_grad=True)
    optimizer = tg.optim.SGD([w], 0.5)
    scaler = tg.amp.GradScaler("cpu")
    with pytest.raises(AssertionError, match="no step was made"):
        scaler.update()
    scaler.scale(w.sum()).backward()
    scaler.unscale_(optimizer)
    assert w.grad.tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.step(optimizer)
    off = tg.amp.GradScaler("cpu", enabled=False)
    assert off.scale(w) is w and off.get_scale() == 1.0


def test_every_pair_of_dtypes_casts():
    dtypes = [tg.bool, tg.uint8, tg.int8, tg.int16, tg.int32, tg.int64, *LOW, tg.float32,
              tg.float64]  # fmt: skip
    for a, b in itertools.product(dtypes, dtypes):
        x = tg.tensor([0, 1, 1]).to(a)
        assert x.to(b).dtype == b and x.to(b).double().tolist() == [0, 1, 1]


@pytest.mark.parametrize("dtype", LOW)
def test_what_is_not_zero_is_found(dtype):
    x = tg.tensor([[0.0, 1.5, -0.0], [float("nan"), 0.0, float("-inf")]], dtype=dtype)
    assert x.nonzero().tolist() == tg.argwhere(x).tolist() == [[0, 1], [1, 0], [1, 2]]
