"""Writes ops_recorded.json: what PyTorch's functions give, forwards and backwards, in float64.

Run by hand, with PyTorch installed (2.15, on the CPU, wrote the file that is here):
PYTHONPATH=tests python tests/python/record_ops.py. The tests only read the file.
"""

import json
from pathlib import Path

import torch
from op_cases import leaves_of, loss_of, outputs_of

# Each: an expression, and the shapes of the leaves x, y, z in it. t is the library, F its
# nn.functional; i (2, 3) int64, j (3,) int64, b (2, 3) bool and odd (6,) are always there; odd
# holds NaN, infinities and zeros.
CASES = [
    # parts
    ("x.split(2)", [[5, 2]]),
    ("x.split(2, 1)", [[2, 4]]),
    ("x.split([1, 0, 3], dim=-1)", [[2, 4]]),
    ("t.zeros(0, dtype=t.float64).split(3)", []),
    ("x.chunk(3)", [[7]]),
    ("x.chunk(5, 1)", [[2, 6]]),
    ("t.chunk(t.zeros(2, 0, dtype=t.float64), 3, 1)", []),
    ("x.unbind(1)", [[2, 3]]),
    ("x.narrow(1, 1, 2)", [[2, 4]]),
    ("x.narrow(0, -2, 1)", [[3, 2]]),
    ("t.hstack([x, y])", [[2], [3]]),
    ("t.hstack([x, y])", [[2, 1], [2, 3]]),
    ("t.vstack([x, y])", [[3], [2, 3]]),
    ("t.vstack((x, y))", [[], []]),
    ("t.meshgrid(x, y, indexing='ij')", [[2], [3]]),
    ("t.meshgrid(x, y, z, indexing='xy')", [[2], [3], [2]]),
    # dims
    ("x.movedim(0, 2)", [[2, 3, 4]]),
    ("t.movedim(x, (0, -1), (1, 0))", [[2, 3, 4]]),
    ("x.swapaxes(0, -1)", [[2, 3, 4]]),
    ("x.unflatten(1, (2, -1))", [[2, 6]]),
    ("x.unflatten(-1, (3, 2, 1))", [[2, 6]]),
    ("t.broadcast_to(x, (2, 3))", [[3]]),
    ("x.expand_as(y)", [[3, 1], [2, 3, 2]]),
    ("x.view_as(y) * y", [[6], [2, 3]]),
    ("x.t().reshape_as(y) * y", [[3, 2], [3, 2]]),
    # copies
    ("x.repeat(2, 3)", [[2, 2]]),
    ("x.repeat(3, 1, 2)", [[2]]),
    ("x.repeat(2, 0)", [[2, 2]]),
    ("t.tile(x, (2,))", [[2, 2]]),
    ("t.tile(x, (2, 1, 2))", [[2]]),
    ("x.repeat_interleave(2)", [[2, 2]]),
    ("x.repeat_interleave(3, 1)", [[2, 2]]),
    ("x.flip(0)", [[3, 2]]),
    ("t.flip(x, (0, -1))", [[2, 2, 3]]),
    ("x.t().flip(1)", [[3, 2]]),
    ("x.roll(2)", [[2, 3]]),
    ("x.roll((1, -4), (0, 1))", [[2, 3]]),
    ("x.roll(-7, 1)", [[2, 3]]),
    # diagonals
    ("x.diagonal()", [[3, 4]]),
    ("x.diagonal(1, 2, 0)", [[3, 2, 4]]),
    ("x.diagonal(-2)", [[3, 4]]),
    ("x.diagonal(9)", [[3, 4]]),
    ("t.diag(x)", [[3]]),
    ("t.diag(x, -1)", [[2]]),
    ("t.diag(x, 1)", [[3, 3]]),
    ("x.tril()", [[3, 4]]),
    ("x.tril(-1)", [[2, 3, 3]]),
    ("x.triu(1)", [[4, 3]]),
    ("t.triu(i, -5), t.tril(b, 1)", []),
    # products
    ("x.mm(y)", [[2, 3], [3, 4]]),
    ("t.bmm(x, y)", [[2, 2, 3], [2, 3, 1]]),
    ("x.mv(y)", [[2, 3], [3]]),
    ("t.dot(x, y)", [[3], [3]]),
    ("t.addmm(x, y, z)", [[4], [2, 3], [3, 4]]),
    ("t.addmm(x, y, z, beta=0.5, alpha=-2)", [[2, 1], [2, 3], [3, 4]]),
    ("t.addmm(odd, y, z, beta=0)", [[6], [2, 3], [3, 6]]),
    ("t.outer(x, y)", [[2], [3]]),
    ("t.tensordot(x, y, 1)", [[2, 3], [3, 2]]),
    ("t.tensordot(x, y, 0)", [[2], [3]]),
    ("t.tensordot(x, y, ([0, 2], [1, 0]))", [[2, 3, 4], [4, 2, 2]]),
    # einsum
    ("t.einsum('ij,jk->ik', x, y)", [[2, 3], [3, 4]]),
    ("t.einsum('ij,jk', x, y)", [[2, 3], [3, 4]]),
    ("t.einsum('ba', x)", [[2, 3]]),
    ("t.einsum('ii', x)", [[3, 3]]),
    ("t.einsum('ii->i', x)", [[3, 3]]),
    ("t.einsum('iij,jk->ik', x, y)", [[2, 2, 3], [3, 2]]),
    ("t.einsum('iii->i', x)", [[2, 2, 2]]),
    ("t.einsum('ij->', x)", [[2, 3]]),
    ("t.einsum('i,j->ij', x, y)", [[2], [3]]),
    ("t.einsum('i,i->', x, y)", [[3], [3]]),
    ("t.einsum('i,i->i', x, y)", [[3], [3]]),
    ("t.einsum('bhqd,bhkd->bhqk', x, y)", [[2, 2, 3, 2], [2, 2, 2, 2]]),
    ("t.einsum('...ij,...jk->...ik', x, y)", [[2, 1, 2, 3], [2, 3, 2]]),
    ("t.einsum('...ij->...ji', x)", [[2, 2, 3]]),
    ("t.einsum('i...->...', x)", [[2, 3]]),
    ("t.einsum('...i,i', x, y)", [[2, 3], [3]]),
    ("t.einsum('... i -> i', x)", [[2, 2, 3]]),
    ("t.einsum('ij,jk,kl->il', x, y, z)", [[2, 3], [3, 2], [2, 4]]),
    ("t.einsum('ij,ik,jk->i', x, y, z)", [[2, 3], [2, 2], [3, 2]]),
    ("t.einsum('ij,kj->ik', x, y)", [[2, 1], [3, 4]]),
    ("t.einsum('a,b,c->cab', [x, y, z])", [[2], [3], [2]]),
    ("t.einsum('ij,kl->jl', x, y)", [[2, 3], [2, 2]]),
    ("t.einsum(',i->i', x, y)", [[], [3]]),
    ("t.einsum('ij,j->i', i, j)", []),
    ("t.einsum('ij->j', i)", []),
    ("t.einsum('ij,jk->ik', x, y)", [[2, 0], [0, 3]]),
    # division and bits
    ("x.fmod(y), x.remainder(y)", [[2, 4], [4]]),
    ("x % 0.3, x.detach() // 0.3, t.fmod(x, -0.3)", [[7]]),
    ("x.detach() // y.detach()", [[2, 5], [5]]),
    ("(i - 4) % j, (i - 4) // j, t.fmod(i - 4, j), (i - 4) % -j, (i - 4) // -j", []),
    ("7 % j, -7 // j, 2.5 % x.detach(), i % 2.5", [[3]]),
    ("odd % 2, odd // 2, t.fmod(odd, 2), odd % -t.inf, odd // t.inf", []),
    ("i & 5, i | 8, i ^ j, ~i, b & ~b, b | True, b ^ b[:, :1], i & b", []),
    ("t.log2(x * x + 1), t.log10(x * x + 1), t.log2(j)", [[5]]),
    # blends
    ("t.lerp(x, y, 0.25), t.lerp(x, y, 0.75), t.lerp(x, y, z)", [[2, 3], [3], [2, 3]]),
    ("t.addcmul(x, y, z, value=0.5), t.addcdiv(x, y, z * z + 1, value=-2)", [[3], [2, 1], [3]]),
    ("t.nan_to_num(odd), t.nan_to_num(odd, 1.5, 2.0, -2.0), t.nan_to_num(i)", []),
    ("t.isclose(odd, odd), t.isclose(odd, odd, equal_nan=True), t.isclose(i, i + 1, atol=1)", []),
    ("t.isclose(x, x + 1e-6, rtol=0, atol=1e-5), t.isclose(x, x, rtol=0, atol=0)", [[4]]),
    # reductions
    ("t.norm(x), x.norm(2, 1), x.norm(1, 0, True), x.norm(3)", [[2, 3]]),
    ("x.norm(0), x.norm(float('inf'), 1), x.norm(-float('inf')), x.norm(p=0.5, dim=0)", [[2, 3]]),
    ("t.norm(x * 0), t.norm(x * 0, 3), t.norm(x * 0, 0.5)", [[3]]),
    ("t.linalg.vector_norm(x, 3, (0, 1), True), t.linalg.vector_norm(x, dim=-1)", [[2, 3]]),
    ("t.norm(t.zeros(0, dtype=t.float64)), t.count_nonzero(odd), t.count_nonzero(i - 2, 1)", []),
    ("x.cumprod(1), t.cumprod(x * 0, 0), j.cumprod(0), b.cumprod(1)", [[3, 5]]),
    # creation
    ("t.eye(3), t.eye(2, 3, dtype=t.int64), t.eye(2, 0)", []),
    ("t.linspace(0, 1, 5), t.linspace(-2, 3, 4, dtype=t.float64), t.linspace(3, 4, 1)", []),
    ("t.linspace(0, 10, 4, dtype=t.int64), t.linspace(3, -7, 6, dtype=t.int32)", []),
    ("t.linspace(1, 2, 0), t.logspace(0, 3, 4), t.logspace(0, 4, 3, base=2)", []),
    ("t.arange(0.5, 3, 0.75), t.arange(5, 1, -2), t.arange(1, 2, 0.3, dtype=t.float64)", []),
    ("x.new_zeros(2, 2), i.new_ones((2,)), x.new_full((2,), 7), i.new_full((1,), 3)", [[2]]),
    # activations
    ("F.softmin(x, dim=0), F.glu(x, 0), F.logsigmoid(x)", [[4, 3]]),
    ("F.hardtanh(i, -1, 2), F.relu6(i * 3), F.softsign(i), F.tanhshrink(j)", []),
    ("F.mish(x * 30), F.hardswish(x * 5), F.prelu(x, y)", [[2, 3], [3]]),
    ("F.hardsigmoid(x.detach() * 5)", [[2, 3]]),
]  # fmt: skip


def record(expression, shapes):
    leaves = leaves_of(torch, shapes)
    outputs = outputs_of(torch, expression, leaves)
    loss = loss_of(torch, outputs)
    if loss is not None:
        loss.backward()
    return {
        "expression": expression,
        "shapes": shapes,
        "outputs": [
            [str(o.dtype)[6:], list(o.shape), o.detach().flatten().tolist()] for o in outputs
        ],
        "gradients": [None if x.grad is None else x.grad.flatten().tolist() for x in leaves],
    }


if __name__ == "__main__":
    lines = [json.dumps(record(*case)) for case in CASES]
    text = '{\n"cases": [\n' + ",\n".join(lines) + "\n]\n}\n"
    Path(__file__).with_name("ops_recorded.json").write_text(text)
