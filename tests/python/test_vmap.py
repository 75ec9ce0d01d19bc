"""vmap by batching rules: against a loop over the examples, and with grad, jvp and compile."""

import pytest
import tapegraph as tg
from tapegraph.func import (
    functional_call,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    stack_module_state,
    vjp,
    vmap,
)

F = tg.nn.functional


def looped(f, *args, in_dims=None):
    """f of each example in turn, stacked."""
    in_dims = (0,) * len(args) if in_dims is None else in_dims
    size = next(a.shape[d] for a, d in zip(args, in_dims) if d is not None)
    rows = [
        f(*(a if d is None else a.select(d, i) for a, d in zip(args, in_dims))) for i in range(size)
    ]
    if isinstance(rows[0], tuple):
        return tuple(tg.stack(list(column)) for column in zip(*rows))
    return tg.stack(rows)


def check(f, *args, in_dims=None, exact=True):
    many = vmap(f, in_dims=0 if in_dims is None else in_dims)(*args)
    want = looped(f, *args, in_dims=in_dims)
    pairs = zip(many, want) if isinstance(want, tuple) else [(many, want)]
    for a, b in pairs:
        assert a.dtype == b.dtype and a.shape == b.shape
        if exact:
            assert a.tolist() == b.tolist()
        else:
            assert tg.allclose(a, b, rtol=1e-12, atol=1e-12)


def randn(*shape):
    return tg.randn(*shape, dtype=tg.float64)


W = randn(4, 3)
OPS = {
    "add": lambda x: x + W,
    "mul by a number of its own": lambda x: x * x.sum(),
    "exp": lambda x: x.exp(),
    "where": lambda x: tg.where(x > 0, x, W),
    "compare": lambda x: x > x.mean(),
    "cast": lambda x: x.float(),
    "clamp": lambda x: x.clamp(-0.5, 0.5),
    "sum": lambda x: x.sum(0),
    "sum all": lambda x: x.sum(),
    "mean": lambda x: x.mean(1, keepdim=True),
    "var": lambda x: x.var(0),
    "amax": lambda x: x.amax(1),
    "argmax": lambda x: x.argmax(1),
    "max": lambda x: tuple(x.max(1)),
    "cumsum": lambda x: x.cumsum(1),
    "prod": lambda x: x.prod(1),
    "softmax": lambda x: x.softmax(1),
    "logsumexp": lambda x: x.logsumexp(0),
    "norm": lambda x: x.norm(),
    "sort": lambda x: tuple(x.sort(0)),
    "topk": lambda x: x.topk(2, 0).values,
    "matmul": lambda x: x @ W.T,
    "matmul from the left": lambda x: W @ x.T,
    "matmul with itself": lambda x: x.T @ x,
    "matvec": lambda x: W @ x[0],
    "dot": lambda x: tg.dot(x[0], x[1]),
    "outer": lambda x: tg.outer(x[0], x[1]),
    "einsum": lambda x: tg.einsum("ij,kj->ik", x, W),
    "permute": lambda x: x.permute(1, 0),
    "reshape": lambda x: x.T.reshape(2, 6),
    "expand": lambda x: x[:, :1].expand(4, 5),
    "unsqueeze": lambda x: x.unsqueeze(1).squeeze(1),
    "select": lambda x: x[1],
    "slice": lambda x: x[1:, ::2],
    "flip": lambda x: x.flip(1),
    "roll": lambda x: x.roll(1, 0),
    "cat": lambda x: tg.cat([x, W], 1),
    "stack": lambda x: tg.stack([x, W]),
    "diagonal": lambda x: x.diagonal(1),
    "tril": lambda x: x.tril(),
    "gather": lambda x: x.gather(1, tg.tensor([[0, 2]] * 4)),
    "scatter_add": lambda x: W.scatter_add(1, tg.tensor([[0, 2]] * 4), x[:, :2]),
    "scatter_reduce": lambda x: W.scatter_reduce(0, tg.tensor([[0, 2, 0]] * 4), x, "amax"),
    "lgamma": lambda x: tg.lgamma(x * x + 1),
    "polygamma": lambda x: tg.polygamma(1, x * x + 1),
    "lu": lambda x: tuple(tg.linalg.lu_factor(x[:3] + 4 * tg.eye(3, dtype=tg.float64))),
    "grid_sample": lambda x: F.grid_sample(x[None, None], x[None, :, None, :2]),
    "index": lambda x: x[tg.tensor([2, 0])],
    "index two, apart": lambda x: x[None][tg.tensor([0, 0]), :, tg.tensor([1, 2])],
    "index two": lambda x: x[tg.tensor([0, 3]), tg.tensor([1, 2])],
    "index a column": lambda x: x[:, tg.tensor([[2, 0]])],
    "index by its own": lambda x: W[x.argmax(0)],
    "index itself by its own": lambda x: x[x.argmax(0)],
    "index columns by its own": lambda x: x[:, x.argmax(1)],
    "index_put": lambda x: x.index_put((tg.tensor([1, 2]),), W[0]),
    "index_put by its own": lambda x: W.index_put((x.argmax(0),), x[0, 0], accumulate=True),
    "index_add": lambda x: x.index_add(1, tg.tensor([2, 0]), x[:, :2]),
    "assign by its own": lambda x: assigned(x),
    "searchsorted": lambda x: tg.searchsorted(tg.tensor([-1.0, 0.0, 1.0]).double(), x),
    "searchsorted in its own line": lambda x: tg.searchsorted(x[0].sort().values, x),
    "searchsorted in its own lines": lambda x: tg.searchsorted(x.sort(1).values, W),
    "searchsorted of its own": lambda x: tg.searchsorted(W.sort(1).values, x),
    "bucketize": lambda x: tg.bucketize(x, tg.tensor([-1.0, 0.0, 1.0]).double()),
    "isin": lambda x: tg.isin(x.round(), tg.tensor([0.0, 1.0]).double()),
    "embedding": lambda x: F.embedding(x.argmax(0), W),
    "pad": lambda x: F.pad(x, (1, 2), value=3.0),
    "layer_norm": lambda x: F.layer_norm(x, (3,)),
    "gelu": lambda x: F.gelu(x),
    "linear": lambda x: F.linear(x, W),
    "cross_entropy": lambda x: F.cross_entropy(x, tg.tensor([0, 1, 2, 0])),
    "conv1d": lambda x: F.conv1d(x[None], W[:, :, None].expand(4, 3, 1).transpose(0, 1)),
    "conv2d": lambda x: F.conv2d(x[None, None], W[None, None, :2, :2]),
    "conv2d, weights of its own": lambda x: F.conv2d(W[None, None], x[None, None, :2, :2]),
    "conv2d, both": lambda x: F.conv2d(x[None, None], x[None, None, :2, :2]),
    "conv_transpose2d": lambda x: F.conv_transpose2d(x[None, None], W[None, None, :2, :2]),
    "max_pool2d": lambda x: F.max_pool2d(x[None], 2, 1),
    "avg_pool2d": lambda x: F.avg_pool2d(x[None], 2, 1),
    "writes its own": lambda x: own_writes(x),
    "a constant": lambda x: W * 2,
}


def own_writes(x):
    y = x.clone()
    y[1:, 0] = x[0, 0]
    y[:, 1] += 2
    y.mul_(x)
    z = tg.zeros(4, 3, dtype=x.dtype)
    z[2] = x[1]
    return y + z


def assigned(x):
    y = x.clone()
    y[:, x.argmax(1)] = x @ x.T
    return y


EXACT = {name for name in OPS if "conv" not in name and "mat" not in name} - {"einsum", "linear",
         "mean", "var", "norm", "layer_norm", "softmax", "index columns by its own", "dot",
         "sum", "sum all", "logsumexp", "cross_entropy", "prod"}  # fmt: skip


@pytest.mark.parametrize("name", OPS)
def test_it_is_a_loop_over_the_examples(name):
    tg.manual_seed(1)
    check(OPS[name], randn(5, 4, 3), exact=name in EXACT)


@pytest.mark.parametrize("name", OPS)
def test_gradients_flow_through_it(name):
    tg.manual_seed(2)
    x = randn(5, 4, 3).requires_grad_()
    y = vmap(OPS[name])(x)
    first = y[0] if isinstance(y, tuple) else y
    if not first.requires_grad:
        return
    weights = randn(*first.shape)
    (got,) = tg.autograd.grad((first * weights).sum(), x)
    want = looped(OPS[name], x)
    want = want[0] if isinstance(want, tuple) else want
    (want,) = tg.autograd.grad((want * weights).sum(), x)
    assert tg.allclose(got, want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", OPS)
def test_gradients_flow_inside_it(name):
    tg.manual_seed(3)

    def f(x):
        y = OPS[name](x)
        y = y[0] if isinstance(y, tuple) else y
        return (y * y).sum() if y.is_floating_point() else (x * x).sum()

    check(grad(f), randn(3, 4, 3), exact=False)


@pytest.mark.parametrize("name", ["exp", "matmul", "index", "softmax", "own writes", "conv2d"])
def test_inside_a_compiled_function_it_is_the_tapes_bits(name):
    f = OPS.get(name, own_writes)
    x = randn(5, 4, 3)
    compiled = tg.compile(lambda x: vmap(f)(x))
    assert compiled(x).tolist() == vmap(f)(x).tolist()
    assert vmap(tg.compile(f))(x).tolist() == vmap(f)(x).tolist()


def test_matmul_is_one_batched_line():
    x = randn(7, 4, 3)
    compiled = tg.compile(lambda x: vmap(lambda a: a.T @ a)(x))
    compiled(x)
    text = str(compiled.program())
    assert text.count("matmul") == 1 and "(7, 3, 3)" in text


def test_in_dims_and_out_dims():
    a, b = randn(3, 5), randn(5, 4)
    y = vmap(lambda u, v: tg.outer(u, v), in_dims=(1, 0), out_dims=2)(a, b)
    assert y.shape == (3, 4, 5)
    assert tg.equal(y, tg.stack([tg.outer(a[:, i], b[i]) for i in range(5)], 2))
    y = vmap(lambda u, v: u + v, in_dims=(0, None))(b, b[0])
    assert tg.equal(y, b + b[0])
    y = vmap(lambda d, k: d["x"] * k, in_dims=({"x": 0}, None))({"x": b}, 3)
    assert tg.equal(y, b * 3)
    u, v = vmap(lambda x: (x, tg.ones(2)), out_dims=(0, None))(b)
    assert tg.equal(u, b) and v.shape == (2,)
    assert vmap(lambda x: tg.ones(2))(b).shape == (5, 2)


def test_it_nests():
    a, b = randn(3, 4), randn(5, 4)
    table = vmap(lambda u: vmap(lambda v: (u * v).sum())(b))(a)
    assert tg.allclose(table, a @ b.T)
    x = randn(2, 3, 4)
    assert tg.equal(vmap(vmap(lambda v: v * 2 + v.sum()))(x), x * 2 + x.sum(2, keepdim=True))


def test_chunks_give_the_same():
    x = randn(7, 3)
    f = lambda v: (v * v).sum()  # noqa: E731
    assert tg.equal(vmap(f, chunk_size=3)(x), vmap(f)(x))


def test_gradients_of_each_sample():
    tg.manual_seed(0)
    model = tg.nn.Sequential(
        tg.nn.Conv2d(1, 3, 3), tg.nn.ReLU(), tg.nn.MaxPool2d(2), tg.nn.Flatten(),
        tg.nn.Linear(27, 4),
    ).double()  # fmt: skip
    x, labels = randn(6, 1, 8, 8), tg.arange(6) % 4
    parameters = dict(model.named_parameters())

    def loss(p, one, label):
        return F.cross_entropy(functional_call(model, p, (one[None],)), label[None])

    plain = {k: p.detach() for k, p in parameters.items()}
    each = vmap(grad(loss), in_dims=(None, 0, 0))(plain, x, labels)
    for i in range(6):
        model.zero_grad()
        F.cross_entropy(model(x[i : i + 1]), labels[i : i + 1]).backward()
        for name, p in parameters.items():
            assert tg.allclose(each[name][i], p.grad, rtol=1e-10, atol=1e-12)


def test_gradients_of_captured_weights():
    w = randn(3).requires_grad_()
    x = randn(5, 3)
    vmap(lambda v: (v * w).sum() ** 2)(x).sum().backward()
    got, w.grad = w.grad, None
    (((x * w).sum(1)) ** 2).sum().backward()
    assert tg.allclose(got, w.grad)


def test_random_numbers_are_asked_for():
    x = tg.zeros(4, 3)
    with pytest.raises(RuntimeError, match='randomness="same"'):
        vmap(lambda v: v + tg.rand(3))(x)
    same = vmap(lambda v: v + tg.rand(3), randomness="same")(x)
    assert tg.equal(same[0], same[1])
    tg.manual_seed(5)
    different = vmap(lambda v: v + tg.rand(3) - tg.rand(3), randomness="different")(x)
    after = tg.rand(2)
    tg.manual_seed(5)
    assert tg.equal(different, tg.rand(4, 3) - tg.rand(4, 3)) and tg.equal(after, tg.rand(2))
    tg.manual_seed(5)
    orders = vmap(lambda v: v[tg.randperm(3)], randomness="different")(tg.arange(12).reshape(4, 3))
    tg.manual_seed(5)
    assert orders.tolist() == [(tg.randperm(3) + 3 * k).tolist() for k in range(4)]
    tg.manual_seed(5)
    compiled = tg.compile(lambda x: vmap(lambda v: v + tg.rand(3), randomness="different")(x))
    a, b = compiled(x), compiled(x)
    tg.manual_seed(5)
    assert tg.equal(a, tg.rand(4, 3)) and tg.equal(b, tg.rand(4, 3))


def test_an_index_outside_is_an_error_and_not_the_next_example():
    x = randn(3, 2)
    with pytest.raises(IndexError):
        vmap(lambda v, i: v[i])(x, tg.tensor([[0], [1], [2]]))
    assert vmap(lambda v, i: v[i])(x, tg.tensor([[0], [1], [-1]])).tolist() == [
        [x[0, 0].item()], [x[1, 1].item()], [x[2, 1].item()]]  # fmt: skip


def test_no_examples():
    assert vmap(lambda x: (x * 2).sum())(tg.zeros(0, 3)).shape == (0,)


ERRORS = [
    (lambda: vmap(lambda a, b: a)(tg.ones(2), tg.ones(3)), ValueError, "2 in argument 0, 3 in"),
    (lambda: vmap(lambda a: a, in_dims=1)(tg.ones(2)), ValueError, r"shape \(2,\)"),
    (lambda: vmap(lambda a: a)(3), ValueError, "no tensor but int"),
    (lambda: vmap(lambda a: a, in_dims=None)(tg.ones(2)), ValueError, "in_dims"),
    (lambda: vmap(lambda a: a, in_dims=(None,))(tg.ones(2)), ValueError, "all are None"),
    (lambda: vmap(lambda a: a, in_dims=(0, 0))(tg.ones(2)), ValueError, "not a nest"),
    (lambda: vmap(lambda a: a, out_dims=None)(tg.ones(2)), ValueError, "differs from example"),
    (lambda: vmap(lambda a: a, out_dims=2)(tg.ones(2)), IndexError, "out_dims has 2"),
    (lambda: vmap(lambda a: 3)(tg.ones(2)), ValueError, "must return tensors, not int"),
    (lambda: vmap(lambda a: a.item())(tg.ones(2)), RuntimeError, "item"),
    (lambda: vmap(lambda a: a if a > 0 else -a)(tg.ones(2)), Exception, "where"),
    (lambda: vmap(lambda a: a.add_(1))(tg.ones(2)), RuntimeError, r"clone\(\) it first"),
    (lambda: vmap(lambda a: W.add_(a))(tg.ones(2).double()), RuntimeError, r"clone\(\) it first"),
    (lambda: vmap(lambda a: a)(), ValueError, "without a tensor"),
    (lambda: vmap(lambda a: a, chunk_size=0), ValueError, "at least 1"),
    (lambda: vmap(lambda a: a, randomness="x"), RuntimeError, "randomness"),
    (lambda: grad(lambda x: x)(tg.ones(2)), RuntimeError, "no dims"),
    (lambda: grad(lambda x: x.sum())(tg.ones(2).long()), RuntimeError, "int64"),
    (lambda: grad(lambda x: x.sum(), argnums=1)(tg.ones(2)), RuntimeError, "1 arguments"),
    (lambda: jvp(lambda x: x, (tg.ones(2),), (tg.ones(3),)), RuntimeError, r"\(3,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


# ---- derivatives --------------------------------------------------------------------------------
def test_grad_nests():
    x = randn(3)
    third = grad(lambda x: grad(lambda x: grad(lambda x: (x**4).sum())(x).sum())(x).sum())(x)
    assert tg.allclose(third, 24 * x)
    assert not third.requires_grad


def test_grad_keeps_outer_tapes():
    w, x = randn(3).requires_grad_(), randn(3)
    g = grad(lambda x: (w * x * x).sum())(x)
    g.sum().backward()
    assert tg.allclose(w.grad, 2 * x)


def test_grad_and_value_with_aux():
    x = randn(3)
    g, (value, aux) = grad_and_value(lambda x: ((x * x).sum(), "more"), has_aux=True)(x)
    assert tg.allclose(g, 2 * x) and value.item() == (x * x).sum().item() and aux == "more"


def test_vjp_and_jvp():
    x, v = randn(3), randn(3)
    y, back = vjp(tg.sin, x)
    assert tg.equal(y, x.sin()) and tg.allclose(back(v)[0], v * x.cos())
    y, forward = jvp(tg.sin, (x,), (v,))
    assert tg.equal(y, x.sin()) and tg.allclose(forward, v * x.cos())
    rows = vmap(lambda u: vjp(tg.sin, x)[1](u)[0])(tg.eye(3).double())
    assert tg.allclose(rows, tg.diag(x.cos()))
    rows = vmap(back)(tg.eye(3).double())[0]
    assert tg.allclose(rows, tg.diag(x.cos()))


def test_jacobians_and_hessian():
    w, x = randn(4, 3), randn(3)

    def f(x):
        return tg.tanh(w @ x)

    want = (1 - f(x) ** 2)[:, None] * w
    assert tg.allclose(jacrev(f)(x), want) and tg.allclose(jacfwd(f)(x), want)
    assert tg.allclose(jacrev(f, chunk_size=3)(x), want)
    h = hessian(lambda x: (x**3).sum() + x[0] * x[1])(x)
    want = tg.diag(6 * x)
    want[0, 1] = want[1, 0] = 1
    assert tg.allclose(h, want)
    many = vmap(hessian(lambda x: (x**3).sum()))(randn(5, 3))
    assert many.shape == (5, 3, 3)
    a, b = jacrev(lambda a, b: a * b, argnums=(0, 1))(x, x + 1)
    assert tg.allclose(a, tg.diag(x + 1)) and tg.allclose(b, tg.diag(x))


def test_derivatives_at_a_view_go_inside_of_others():
    x = randn(2, 3)
    row = x[0].clone()

    def f(y):
        return (y**3).sum() * y

    assert tg.equal(jacfwd(jacrev(f))(x[0]), jacfwd(jacrev(f))(row))
    assert tg.equal(hessian(lambda y: f(y).sum())(x[0]), hessian(lambda y: f(y).sum())(row))
    inner = grad(lambda y: (y**2).sum())
    assert tg.equal(vmap(lambda a: inner(x.T) * a.sum())(x)[1], 2 * x.T * x[1].sum())
    assert tg.equal(tg.compile(lambda: inner(x[:, 1]))(), 2 * x[:, 1])


def test_functional_call():
    model = tg.nn.Linear(2, 1)
    new = {"weight": tg.tensor([[1.0, 2.0]]), "bias": tg.tensor([3.0])}
    before = model.weight
    assert functional_call(model, new, tg.tensor([1.0, 1.0])).tolist() == [6.0]
    assert model.weight is before
    with pytest.raises(RuntimeError, match="no nothing"):
        functional_call(model, {"nothing": tg.ones(1)}, tg.ones(2))
    with pytest.raises(RuntimeError, match="strict, and bias is missing"):
        functional_call(model, {"weight": before}, tg.ones(2), strict=True)


def test_an_ensemble():
    models = [tg.nn.Linear(3, 2) for _ in range(4)]
    parameters, buffers = stack_module_state(models)
    x = tg.randn(5, 3)
    assert buffers == {}
    y = vmap(lambda p: functional_call(models[0], p, (x,)))(parameters)
    for i, model in enumerate(models):
        assert tg.allclose(y[i], model(x))
