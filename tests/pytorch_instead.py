"""What to write in place of PyTorch's names that are missing: tests/pytorch_page.py prints these.

A line `print(...)  # text` prints that text here; the values are those of the name itself. A name
that has come leaves the page, and so does a row whose names have all come.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Instead:
    names: str  # of PyTorch, as in pytorch_names.json, with their module
    say: str
    example: str


INSTEAD = [
    Instead(
        "torch.as_strided torch.Tensor.as_strided",
        "slices, `unfold`, `diagonal`, `expand`: each view has a name",
        "print(tg.arange(5).unfold(0, 3, 1).tolist())  # [[0, 1, 2], [1, 2, 3], [2, 3, 4]]",
    ),
    Instead(
        "torch.asarray",
        "`as_tensor`",
        "print(tg.as_tensor(np.array([1.0, 2.0])))  # tensor([1., 2.], dtype=float64)",
    ),
    Instead(
        "torch.finfo torch.iinfo",
        "NumPy's",
        "print(np.finfo(np.float32).eps, np.iinfo(np.int8).max)  # 1.1920929e-07 127",
    ),
    Instead(
        "torch.promote_types torch.result_type torch.can_cast",
        "the dtype of a sum",
        """\
print((tg.zeros(1, dtype=tg.float16) + tg.zeros(1, dtype=tg.bfloat16)).dtype)  \
# tapegraph.float32""",
    ),
    Instead(
        "torch.broadcast_shapes",
        "`np.broadcast_shapes`",
        "print(np.broadcast_shapes((2, 1), (3,)))  # (2, 3)",
    ),
    Instead(
        "torch.cdist torch.nn.functional.pdist torch.dist",
        "the norm of a difference that broadcasts",
        """\
a, b = tg.tensor([[0.0, 0.0], [3.0, 4.0]]), tg.tensor([[0.0, 0.0]])
print(tg.linalg.vector_norm(a[:, None] - b, dim=-1).tolist())  # [[0.0], [5.0]]""",
    ),
    Instead(
        "torch.cov torch.corrcoef",
        "the product of what is centred",
        """\
x = tg.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
d = x - x.mean(1, keepdim=True)
print((d @ d.T / (x.shape[1] - 1)).tolist())  # [[1.0, -1.0], [-1.0, 1.0]]""",
    ),
    Instead(
        "torch.trapezoid torch.trapz",
        "sums of neighbours",
        """\
y = tg.tensor([1.0, 2.0, 3.0])
print(((y[1:] + y[:-1]) / 2).sum().item())  # 4.0""",
    ),
    Instead(
        "torch.erfc torch.Tensor.erfc",
        "`1 - erf(x)`, with fewer digits for a large x",
        "print((1 - tg.erf(tg.tensor(0.0))).item())  # 1.0",
    ),
    Instead(
        "torch.unravel_index",
        "NumPy's",
        "print([int(i) for i in np.unravel_index(5, (2, 3))])  # [1, 2]",
    ),
    Instead(
        "torch.msort torch.Tensor.msort",
        "`sort` by dim 0",
        "print(tg.tensor([3, 1, 2]).sort(0).values)  # tensor([1, 2, 3])",
    ),
    Instead(
        "torch.matrix_exp torch.linalg.matrix_exp torch.Tensor.matrix_exp",
        "of a symmetric matrix, by `eigh`",
        """\
a = tg.tensor([[0.0, 0.0], [0.0, 0.0]])
values, vectors = tg.linalg.eigh(a)
print(((vectors * values.exp()) @ vectors.T).tolist())  # [[1.0, 0.0], [0.0, 1.0]]""",
    ),
    Instead(
        "torch.cond torch.while_loop",
        "`where`; outside of a compiled function plain `if` and `while`",
        """\
x = tg.tensor(-2.0)
print(tg.where(x > 0, x, -x).item())  # 2.0""",
    ),
    Instead(
        "torch.conv2d torch.batch_norm torch.dropout torch.layer_norm torch.embedding",
        "the same in `nn.functional`",
        "print(F.conv2d(tg.ones(1, 1, 3, 3), tg.ones(1, 1, 3, 3)).item())  # 9.0",
    ),
    Instead(
        "torch.exp_ torch.relu_ torch.sigmoid_ torch.zero_",
        "the method",
        """\
x = tg.zeros(2)
x.exp_()
print(x)  # tensor([1., 1.])""",
    ),
    Instead(
        "torch.Tensor.squeeze_ torch.Tensor.unsqueeze_ torch.Tensor.transpose_ torch.Tensor.t_",
        "the view; a tensor keeps its shape",
        """\
x = tg.zeros(2, 1)
x = x.squeeze(1)
print(x.shape)  # tapegraph.Size([2])""",
    ),
    Instead(
        "torch.Tensor.exponential_ torch.Tensor.geometric_ torch.Tensor.cauchy_",
        "a formula of `rand`",
        """\
x = -tg.log1p(-tg.rand(10000, generator=tg.Generator().manual_seed(0)))
print(abs(x.mean().item() - 1) < 0.05)  # True""",
    ),
    Instead(
        "torch.Tensor.random_",
        "`randint`",
        "print(tg.randint(3, 4, (2,)))  # tensor([3, 3])",
    ),
    Instead(
        "torch.Tensor.byte torch.Tensor.char",
        "`to`",
        "print(tg.tensor([1.5]).to(tg.uint8))  # tensor([1], dtype=uint8)",
    ),
    Instead(
        "torch.use_deterministic_algorithms torch.are_deterministic_algorithms_enabled",
        "nothing: on the CPU the same call gives the same bits",
        """\
x = tg.rand(10000)
print(x.sum().item() == x.sum().item())  # True""",
    ),
    Instead(
        "torch.set_printoptions",
        "NumPy's printing",
        """\
with np.printoptions(precision=2):
    print(tg.tensor([1.23456]).numpy())  # [1.23]""",
    ),
    Instead(
        "torch.nn.Buffer",
        "`register_buffer`",
        """\
module = nn.Module()
module.register_buffer("mean", tg.zeros(2))
print(list(module.state_dict()))  # ['mean']""",
    ),
    Instead(
        "torch.nn.LazyLinear torch.nn.LazyConv2d",
        "`Linear`, after one look at the shape that comes in",
        """\
body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
print(nn.Linear(body(tg.zeros(1, 1, 5, 5)).shape[1], 10).in_features)  # 18""",
    ),
    Instead(
        "torch.nn.utils.weight_norm",
        "its formula in `forward`",
        """\
v, g = tg.tensor([[3.0, 4.0]]), tg.tensor([[2.0]])
print((F.linear(tg.ones(1, 2), g * F.normalize(v, dim=1)) * 10).round().item())  # 28.0""",
    ),
    Instead(
        "torch.nn.utils.get_total_norm",
        "the norm of the norms",
        """\
grads = [tg.tensor([3.0]), tg.tensor([4.0])]
print(tg.stack([g.norm() for g in grads]).norm().item())  # 5.0""",
    ),
    Instead(
        "torch.utils.data.WeightedRandomSampler",
        "`multinomial`, and its numbers as the sampler",
        """\
order = tg.multinomial(tg.tensor([0.0, 1.0]), 3, replacement=True).tolist()
loader = tg.utils.data.DataLoader([10.0, 20.0], sampler=order, batch_size=3)
print(next(iter(loader)).tolist())  # [20.0, 20.0, 20.0]""",
    ),
    Instead(
        "torch.autograd.Variable",
        "a tensor",
        "print(tg.ones(2, requires_grad=True).requires_grad)  # True",
    ),
]
