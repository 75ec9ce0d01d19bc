"""scaled_dot_product_attention is one launch on "cuda", with the CPU's values, gradients and
gradients of these; what it has no kernel for is made of other ops there, as on the CPU."""

import numpy as np
import pytest
import tapegraph as tg

F = tg.nn.functional
attention = F.scaled_dot_product_attention
CASES = {
    "three dims": (((2, 5, 4), (2, 7, 4), (2, 7, 3)), {}),
    "two dims": (((5, 4), (7, 4), (7, 3)), {}),
    "heads": (((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 3)), {}),
    "causal": (((2, 3, 40, 4), (2, 3, 40, 4), (2, 3, 40, 6)), {"is_causal": True}),
    "causal, with more queries": (((2, 6, 4), (2, 3, 4), (2, 3, 2)), {"is_causal": True}),
    "causal, with more keys": (((2, 3, 4), (2, 35, 4), (2, 35, 2)), {"is_causal": True}),
    "a scale": (((2, 5, 4), (2, 7, 4), (2, 7, 3)), {"scale": 0.3}),
    "long rows": (((1, 3, 70), (1, 4, 70), (1, 4, 2)), {}),
    "grouped queries": (((2, 4, 5, 3), (2, 2, 6, 3), (2, 2, 6, 3)), {"enable_gqa": True}),
    "shared keys": (((2, 3, 5, 4), (3, 7, 4), (3, 7, 3)), {}),
    "no keys": (((2, 3, 4), (2, 0, 4), (2, 0, 2)), {}),
    "no queries": (((2, 0, 4), (2, 3, 4), (2, 3, 2)), {}),
    "no batch": (((0, 3, 4), (0, 3, 4), (0, 3, 2)), {}),
    "no columns of values": (((2, 3, 4), (2, 5, 4), (2, 5, 0)), {}),
}
ONE_LAUNCH = ["three dims", "two dims", "heads", "causal", "a scale"]


def operands(shapes, device, dtype=tg.float64):
    numbers = np.random.default_rng(0)
    return [
        tg.tensor(numbers.standard_normal(shape), dtype=dtype).to(device).requires_grad_()
        for shape in shapes
    ]


def near(got, expected, tolerance=1e-10):
    np.testing.assert_allclose(
        got.detach().cpu().numpy(), expected.detach().numpy(), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("name", CASES)
def test_values_and_two_gradients_are_the_cpus(name):
    shapes, options = CASES[name]
    found = []
    for device in ("cpu", "cuda"):
        qkv = operands(shapes, device)
        y = attention(*qkv, **options)
        weights = tg.arange(float(y.numel()), dtype=y.dtype, device=device).reshape(y.shape)
        first = tg.autograd.grad((y * (weights / 10 + 1)).sum(), qkv, create_graph=True)
        second = tg.autograd.grad(sum((g * g).sum() for g in first), qkv)
        found.append([y, *first, *second])
    for got, expected in zip(found[1], found[0], strict=True):
        near(got, expected, 1e-9)


@pytest.mark.parametrize("name", CASES)
def test_a_program_has_the_tapes_bits(name):
    shapes, options = CASES[name]
    qkv = operands(shapes, "cuda", tg.float32)

    def both(*qkv):
        y = attention(*qkv, **options)
        return y, *tg.autograd.grad(y.sum(), qkv)

    step = tg.compile(both)
    for _ in range(2):
        for got, expected in zip(step(*qkv), both(*qkv), strict=True):
            assert got.tolist() == expected.tolist()


@pytest.mark.parametrize("name", ONE_LAUNCH)
def test_it_is_one_op_and_its_gradient_another(name):
    shapes, options = CASES[name]
    qkv = operands(shapes, "cuda")
    with tg.profiler.profile() as forward:
        y = attention(*qkv, **options)
    g = tg.ones_like(y)
    with tg.profiler.profile() as backward:
        tg.autograd.grad(y, qkv, g)
    ran = [{e.name for e in p.events} for p in (forward, backward)]
    assert "attention" in ran[0]
    assert not {"matmul", "softmax", "exp"} & ran[0]
    assert "attention_gradient" in ran[1]
    assert not {"matmul", "softmax", "exp"} & ran[1]


def test_no_matrix_of_weights_is_stored():
    q, k, v = (tg.rand(1, 512, 4, device="cuda", requires_grad=True) for _ in range(3))
    tg.cuda.reset_peak_memory_stats()
    before = tg.cuda.memory_allocated()
    attention(q, k, v, is_causal=True).sum().backward()
    assert tg.cuda.max_memory_allocated() - before < 512 * 512 * 4 // 4


def test_a_mask_dropout_and_weights_are_made_of_other_ops():
    q, k, v = operands(((2, 5, 4), (2, 7, 4), (2, 7, 3)), "cuda")
    on_cpu = [x.detach().cpu() for x in (q, k, v)]
    mask = tg.rand(5, 7) > 0.3
    near(attention(q, k, v, mask.cuda()), attention(*on_cpu, mask))
    assert attention(q, k, v, dropout_p=1.0).abs().sum().item() == 0
    layer = tg.nn.MultiheadAttention(8, 2, batch_first=True)
    x = tg.rand(2, 5, 8)
    output, weights = layer(x, x, x)
    layer.cuda()
    got, got_weights = layer(x.cuda(), x.cuda(), x.cuda())
    near(got, output, 1e-5)
    near(got_weights, weights, 1e-5)
    alone, none = layer(x.cuda(), x.cuda(), x.cuda(), need_weights=False)
    near(alone, output, 1e-5)
    assert none is None


def test_a_layer_whose_mask_is_causal_makes_one_pass():
    layer = tg.nn.MultiheadAttention(8, 2, batch_first=True)
    mask = tg.nn.Transformer.generate_square_subsequent_mask(6)
    x = tg.rand(2, 6, 8)
    expected, _ = layer(x, x, x, attn_mask=mask)
    layer.cuda()
    x, mask = x.cuda(), mask.cuda()
    with tg.profiler.profile() as p:
        got, _ = layer(x, x, x, attn_mask=mask, is_causal=True, need_weights=False)
    near(got, expected, 1e-5)
    assert "attention" in {e.name for e in p.events}
    padding = tg.tensor([[False] * 6, [False] * 4 + [True] * 2], device="cuda")
    masks = {"attn_mask": mask, "key_padding_mask": padding, "is_causal": True}
    got, _ = layer(x, x, x, need_weights=False, **masks)
    near(got, layer(x, x, x, **masks)[0].cpu(), 1e-5)


def test_a_score_that_overflows_where_nobody_looks_does_not_reach_the_third_gradient():
    found = []
    for device in ("cpu", "cuda"):
        q = tg.tensor([[[1.0], [1.0]]], device=device, requires_grad=True)
        k, v = (tg.tensor([[[1.0], [x]]], device=device) for x in (100.0, 2.0))
        g = attention(q, k, v, is_causal=True, scale=1.0).sum()
        for _ in range(3):
            (g,) = tg.autograd.grad(g.sum(), q, create_graph=True)
        found.append(g)
    near(found[1], found[0], 1e-5)


def test_float16_is_computed_in_float32_and_rounded_once():
    q, k, v = (tg.rand(2, 5, 4).half() for _ in range(3))
    got = attention(q.cuda(), k.cuda(), v.cuda())
    assert got.dtype == tg.float16
    near(got.float(), attention(q, k, v).float(), 1e-3)


def test_examples_of_vmap_are_more_of_the_batch():
    qkv = operands(((3, 2, 5, 4), (3, 2, 7, 4), (3, 2, 7, 3)), "cpu")
    qkv = [x.detach() for x in qkv]
    gradient = tg.func.grad(lambda *qkv: (attention(*qkv) ** 2).sum(), argnums=(0, 1, 2))
    for f in (attention, gradient):
        got, expected = (tg.vmap(f)(*(x.to(d) for x in qkv)) for d in ("cuda", "cpu"))
        for a, b in zip(*((x if isinstance(x, tuple) else (x,)) for x in (got, expected))):
            near(a, b)
    shared = tg.vmap(attention, in_dims=(0, None, None))
    q, k, v = qkv[0], qkv[1][0], qkv[2][0]
    near(shared(q.cuda(), k.cuda(), v.cuda()), shared(q, k, v))


def test_a_graph_need_not_know_the_sizes():
    graph = tg.Graph()
    with graph, tg.device("cuda"):
        x = tg.placeholder("x", [None, 3, 4])
        y = attention(x, x, x)
    value = np.random.default_rng(0).standard_normal((5, 3, 4)).astype(np.float32)
    with tg.Session(graph) as session:
        got = tg.as_tensor(session.run(y, {x: value}))
    x = tg.tensor(value)
    near(got, attention(x, x, x), 1e-5)


def test_what_does_not_fit_is_the_error_of_the_cpu():
    for shapes in (((2, 5, 4), (2, 7, 3), (2, 7, 3)), ((2, 5, 4), (2, 7, 4), (2, 6, 3))):
        texts = []
        for device in ("cpu", "cuda"):
            with pytest.raises(RuntimeError) as error:
                attention(*operands(shapes, device))
            texts.append(str(error.value).replace("cuda", "cpu"))
        assert texts[0].split("test_cuda")[0] == texts[1].split("test_cuda")[0]


@pytest.mark.parametrize("is_causal", [False, True])
def test_gradcheck_of_the_kernels(is_causal):
    qkv = operands(((2, 3, 2), (2, 4, 2), (2, 4, 2)), "cuda")

    def f(*qkv):
        return attention(*qkv, is_causal=is_causal)

    assert tg.autograd.gradcheck(f, qkv)
    assert tg.autograd.gradgradcheck(f, qkv)
