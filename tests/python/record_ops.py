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
    # angles, logarithms and signs
    ("t.tan(x), t.asin(x), t.acos(x), t.atan(x * 4)", [[2, 3]]),
    ("t.sinh(x), t.cosh(x), t.asinh(x * 4), t.acosh(x * x + 1.25), t.atanh(x)", [[2, 3]]),
    ("t.exp2(x), t.exp2(j), t.sinc(x), t.sinc(x * 0), t.sinc(j)", [[5]]),
    ("t.atan2(x, y), t.atan2(y, x), t.hypot(x, y)", [[2, 3], [3]]),
    ("t.copysign(x, y), t.copysign(x, -1), t.copysign(i, -0.0), t.copysign(b, j)", [[2, 3], [3]]),
    ("t.logaddexp(x * 30, y * 30), t.logaddexp(x, x), t.logaddexp(odd, odd)", [[2, 3], [3]]),
    ("t.xlogy(x, y * y + 1), t.xlogy(x, 2), t.xlogy(2, x * x + 1)", [[2, 3], [3]]),
    ("t.xlogy(odd, odd), t.xlogy(0, odd), t.xlogy(i, j), t.xlogy(i, 0), t.xlogy(odd, t.nan)", []),
    ("t.xlogy(x - x.detach(), y), t.xlogy(x.relu(), y * y)", [[2, 3], [3]]),
    ("t.xlogy(i.half(), j), t.xlogy(j.float(), t.tensor(2.0, dtype=t.float64)), "
     "t.logaddexp(i.half(), j), t.logaddexp(b, i.float()), t.hypot(i.float(), b)", []),
    ("t.nan_to_num(odd), t.nan_to_num(odd.float()), t.nan_to_num(odd.half()), "
     "t.nan_to_num(odd.bfloat16(), 2.0, neginf=-3.0).float()", []),
    ("t.isclose(b, b), t.isclose(b, ~b, 0.5, 2), t.lerp(i.float(), j.float(), "
     "t.tensor(0.3, dtype=t.float64))", []),
    ("x.clone().xlogy_(y * y), x.clone().cumprod_(1)", [[2, 3], [3]]),
    ("t.fmax(x, y), t.fmin(x, y), t.fmax(odd, odd.flip(0)), t.fmin(odd, odd.flip(0)), "
     "t.fmax(i, j), t.fmax(x - x.detach(), y - y.detach())", [[2, 3], [3]]),
    ("t.logaddexp2(x * 30, y * 30), t.logaddexp2(odd, odd), t.logaddexp2(i.half(), j), "
     "t.logit(x * 0.4 + 0.5), t.logit(x, 0.1), t.logit(i)", [[2, 3], [3]]),
    ("t.isposinf(odd), t.isneginf(odd), t.isposinf(i), t.isneginf(b), t.ldexp(x, j), "
     "t.ldexp(i, j)", [[2, 3]]),
    ("(x - x.detach() + j).clamp(1, 3), F.hardtanh(x - x.detach() + j, 1, 3), "
     "x.clamp(y, y + 0.5), t.clamp(odd, min=0)", [[2, 3], [3]]),
    ("x.clone().div_(y, rounding_mode='trunc').detach(), i.div_(j, rounding_mode='floor'), "
     "(x.detach() * 9).round_(decimals=1), odd.nan_to_num_(1.0), (x * 0.4 + 0.5).logit_(), "
     "(x * 1).ldexp_(j), x.detach().heaviside_(y.detach())", [[2, 3], [3]]),
    ("t.frac(x * 5), t.rad2deg(x), t.deg2rad(x), t.rad2deg(i), t.sgn(x), t.sgn(i)", [[2, 3]]),
    ("t.signbit(odd), t.signbit(i - 2), t.signbit(b), t.frac(odd), t.sgn(odd)", []),
    ("t.heaviside(odd, t.tensor(0.5, dtype=t.float64)), t.heaviside(i - 2, j)", []),
    ("t.float_power(x * x + 1, y), t.float_power(i, 2), t.float_power(2, i)", [[2, 3], [3]]),
    ("i << 1, i << 70, i << -1, (i - 3) >> 1, (i - 3) >> 70, (i - 3) >> -1, 3 << i, 200 >> i", []),
    ("t.bitwise_left_shift(i, j), t.bitwise_right_shift(i - 3, j), b << 1", []),
    ("i.to(t.uint8) << 7, i.to(t.uint8) >> 9, i.to(t.int32) << 31", []),
    ("2 ** i, 2.0 ** x, 2 // j, -7 // j, 2 % j, 2.5 % j, True & b, 5 & i, 5 | i, True ^ b", [[3]]),
    ("t.arctan2(x, y), t.arcsin(x), t.arccosh(x * x + 2), t.absolute(x)", [[3], [3]]),
    ("t.multiply(x, y), t.subtract(x, y, alpha=2), t.true_divide(x, y), t.negative(x)", [[3], [3]]),
    ("t.divide(x, y, rounding_mode='floor').detach(), t.fix(x * 9), t.clip(x, max=0.1)",
     [[3], [3]]),
    ("t.greater(x, y), t.less_equal(x, y), t.not_equal(x, y), t.positive(x) * 1", [[3], [3]]),
    # methods, their second names, and what they write in place
    ("(x / 2).acos_(), (x / 2).asin_(), (x / 2).atan_(), (x / 2).sinh_(), (x / 2).cosh_(), "
     "(x / 2).tan_()", [[2, 3]]),
    ("(x.detach() / 2).atanh_(), (x.detach() / 2).asinh_(), (x.detach() ** 2 + 2).acosh_()",
     [[2, 3]]),
    ("(x / 2).arccos_(), (x / 2).arcsin_(), (x / 2).arctan_(), (x / 2).exp2_(), "
     "(x / 2).sinc_()", [[2, 3]]),
    ("(x.detach() / 2).arctanh_(), (x.detach() / 2).arcsinh_(), (x.detach() ** 2 + 2).arccosh_()",
     [[2, 3]]),
    ("(x * 9).deg2rad_(), (x * 9).rad2deg_(), (x * 9).frac_(), (x * 9).sigmoid_(), "
     "(x * 9).relu_(), (x * x + 1).log2_(), (x * x + 1).log10_(), (x * x + 1).rsqrt_()",
     [[2, 3]]),
    ("(x * 2).atan2_(y), (x * 2).arctan2_(y), (x * 2).hypot_(y), (x * 2).multiply_(y), "
     "(x * 2).divide_(y), (x * 2).true_divide_(y), (x * 2).clip_(-0.5, 0.5)", [[2, 3], [3]]),
    ("(x.detach() * 9).ceil_(), (x.detach() * 9).floor_(), (x.detach() * 9).fix_(), "
     "(x.detach() * 9).sgn_(), (x.detach() * 9).sign_(), (i - 3).bitwise_not_()", [[2, 3]]),
    ("(i + 0).eq_(2), (i + 0).ne_(2), (i + 0).lt_(2), (i + 0).le_(j), (i + 0).ge_(j), "
     "(i + 0).greater_(2), (i + 0).less_(2), (i + 0).greater_equal_(2), (i + 0).less_equal_(2), "
     "(i + 0).not_equal_(2), (i + 9).bitwise_right_shift_(j)", []),
    ("i.eq(2), i.ne(j), i.lt(2.5), i.le(j), i.gt(2), i.ge(j), i.less(2), i.greater_equal(j), "
     "i.bitwise_and(j), i.bitwise_or(3), i.bitwise_xor(j), i.bitwise_not(), i.floor_divide(2)",
     []),
    ("b.logical_and(i), b.logical_or(i), b.logical_xor(i), i.logical_not(), odd.isinf(), "
     "(x.detach() * 9).ceil(), (x.detach() * 9).trunc(), i.short(), x.new_empty(0)", [[2, 3]]),
    ("x.expm1(), (x * x).log1p(), x.neg(), x.reciprocal(), (x * x + 1).rsqrt(), x.moveaxis(0, 1), "
     "x.arctan(), x.arcsinh(), (x / 2).arccos(), (x / 2).arctanh()", [[2, 3]]),
    ("x.index_copy(0, j[:2] - 1, y), x.index_fill(1, j[:2], 3.0), "
     "t.index_copy(x, 0, j[:1], y[:1]), t.index_fill(x, 0, j[:1], 2)", [[3, 4], [2, 4]]),
    ("z.clone().addmm_(x, y, alpha=2), z.clone().addr_(x[:, 0], y[0], beta=0.5), "
     "z.clone().addbmm_(x[None], y[None]), z[None].clone().baddbmm_(x[None], y[None], beta=2)",
     [[2, 3], [3, 2], [2, 2]]),
    # which of equals has the gradient, and what a NaN has
    ("t.fmax(x, y), t.fmin(x, y), t.fmax(x, x.detach()), t.fmin(x.detach(), x), "
     "t.fmax(i, j), t.fmin(i, i - j)", [[2, 3], [3]]),
    ("t.fmax(odd + x, odd.flip(0)), t.fmin(odd + x, odd.flip(0)), t.fmax(odd, odd + x)", [[6]]),
    ("t.clamp(x, y, y + 0.25), x.clamp(min=y), x.clamp(max=y), x.clamp(x.detach(), y + 2), "
     "x.clamp(min=x.detach()), x.clamp(max=x.detach())", [[2, 3], [3]]),
    ("t.clamp(odd + x, -1, 1), (odd + x).clamp(min=0.5), (odd + x).clamp(max=y[0] * 0 + 1), "
     "t.clamp(odd, 0, 1), t.clamp(odd, t.tensor(0.0).double(), t.tensor(1.0).double())",
     [[6], [1]]),
    ("t.logit(j / 4, 0.25), t.logit(x - x.detach() + 0.25, 0.25), "
     "t.logit(x - x.detach() + 0.8, 0.25)", [[3]]),
    ("F.elu(odd[1:4] + x), F.selu(odd[1:4] + x), F.celu(odd[1:4] + x), "
     "F.hardswish(odd[1:4] + x), F.softplus(odd[1:4] + x), F.leaky_relu(odd[1:4] + x)", [[3]]),
    # the gamma function
    ("t.lgamma(x * 9), t.digamma(x * 9), (x * x + 1).lgamma(), (x * x + 12).digamma()", [[2, 5]]),
    # PyTorch's trigamma is right to 5e-10, so that it is compared as float32.

    ("t.polygamma(0, x * 3).detach(), t.polygamma(1, x * 3).float(), t.polygamma(2, x * x + 0.1), "
     "(x * x + 0.1).polygamma(3), t.polygamma(4, x * x + 30)", [[2, 5]]),
    ("t.lgamma(odd), t.digamma(odd), t.lgamma(i), t.digamma(j), t.polygamma(2, j), t.lgamma(b)",
     []),
    ("(x * x + 1).lgamma_(), (x * x + 1).detach().digamma_(), (x * x + 1).polygamma_(2)", [[3]]),
    # scatter, combined
    *((f"x.scatter_reduce(1, i % 4, y, '{how}'), "
       f"t.scatter_reduce(x, 0, b.long(), y, '{how}', include_self=False)", [[2, 4], [2, 3]])
      for how in ("sum", "prod", "mean", "amax", "amin")),
    ("(x * 0).scatter_reduce(0, t.tensor([0, 0, 1]), y * t.tensor([0, 1, 0]), 'prod'), "
     "(x * 0).scatter_reduce(0, t.tensor([0, 0, 1]), y * 0, 'amax'), "
     "x.scatter_reduce(0, j, odd[3:], 'amin').detach()", [[4], [3]]),
    ("i.scatter_reduce(1, i % 3, i - 4, 'mean'), i.scatter_reduce(1, i % 3, i + 9, 'amax', "
     "include_self=False), i.scatter_reduce(1, i % 3, i - 9, 'amin', include_self=False), "
     "b.scatter_reduce(1, i % 3, ~b, 'prod'), b.scatter_reduce(1, i % 3, ~b, 'amax')", []),
    ("t.tensor(2.0).scatter_reduce(0, t.tensor(0), t.tensor(3.0), 'prod'), "
     "(x * 1).scatter_reduce_(1, i, y, 'amax'), "
     "x.detach().scatter(1, i, y.detach(), reduce='add'), "
     "x.detach().scatter(1, i, 2.0, reduce='multiply'), "
     "x.detach().scatter_(1, i, value=0.5, reduce='add')", [[2, 6], [2, 3]]),
    # diagonals, lists and words
    ("t.diag_embed(x), t.diag_embed(x, 1), t.diag_embed(x, -2, 0, 2), t.diag_embed(x, 1, 2, 0), "
     "t.diagflat(x), t.diagflat(i, -1), t.diag_embed(x[:, :0], -1)", [[2, 3]]),
    ("t.einsum(x, [0, 1], y, [1, 2], [2, 0]), t.einsum(x, [0, 1], y, [1, 2]), "
     "t.einsum(x, [..., 0], [0, ...]), t.einsum(x, [30, 3])", [[2, 3], [3, 2]]),
    ("x.repeat_interleave(j, 1, output_size=6), t.repeat_interleave(x, j[:1], 0, output_size=2)",
     [[2, 3]]),
    ("[x.expand(size=(2, 3)), *x.split(split_size=2), *x.tensor_split(sections=2)]", [[3]]),
    ("x[[[0, 1], [1, 0]]], x[[[0, 1]]], x[[0, slice(1, 3)]], x[[None]], x[[[0, 1], [1, 0]], 0], "
     "x[[t.tensor(1), t.tensor(2)]]", [[3, 4]]),
    # statistics
    ("t.var_mean(x, 1)", [[3, 4]]),
    ("[*t.var_mean(x), *t.std_mean(x, (0, 1), correction=0, keepdim=True)]", [[3, 4]]),
    ("[*t.std_mean(x, 0, unbiased=False), *t.var_mean(x, False)]", [[3, 4]]),
    ("t.nansum(t.where(b, x, t.nan)), t.nansum(t.where(b, x, t.nan), 1, True)", [[2, 3]]),
    ("t.nanmean(t.where(b, x, t.nan)), t.nanmean(t.where(b, x, t.nan), 1), t.nanmean(odd[2:3])",
     [[2, 3]]),
    ("t.nansum(i, 0), t.nansum(i, dtype=t.float64), t.nansum(b), t.nansum(i, (0, 1), True)", []),
    ("[t.median(x), *t.median(x, 0), *t.median(x, -1, True)]", [[3, 4]]),
    ("[t.median(t.zeros(4, dtype=t.float64) + x), t.median(i), *i.median(1)]", [[1]]),
    ("[t.median(odd), *t.median(odd, 0), t.nanmedian(odd), *t.nanmedian(odd, 0)]", []),
    ("t.nanmedian(t.where(b, x, t.nan)), t.nanmedian(t.where(b, x, t.nan), 1)[0]", [[2, 3]]),
    ("[t.median(x), *t.median(x, 0)]", [[]]),
    ("t.quantile(x, 0.3), t.quantile(x, 0.75, 1), t.quantile(x, 0.5, 0, True)", [[3, 3]]),
    ("t.quantile(x, y.detach() * 0 + 0.4, 1), t.quantile(x, 0.4, keepdim=True)", [[3, 4], [2]]),
    ("t.quantile(x, t.tensor([0.0, 0.1, 1.0], dtype=t.float64), keepdim=True)", [[3, 4]]),
    ("t.quantile(x, t.tensor([0.2, 0.9], dtype=t.float64), -1, True)", [[2, 3, 4]]),
    ("t.quantile(x, 0.4, interpolation='lower'), t.quantile(x, 0.4, interpolation='higher')",
     [[7]]),
    ("t.quantile(x, 0.5, interpolation='nearest'), t.quantile(x, 0.4, interpolation='midpoint')",
     [[6]]),
    ("t.quantile(t.where(b, x, t.nan), 0.5, 1), t.nanquantile(t.where(b, x, t.nan), 0.4, 1)",
     [[2, 3]]),
    ("t.nanquantile(t.where(b, x, t.nan)[:, 1:], 0.4), t.nanquantile(odd[2:3], 0.4), "
     "t.quantile(y, 0.4)", [[2, 3], []]),
    ("[*t.cummax(x, 1), *t.cummin(x, 0), *t.cummax(odd, 0), *t.cummin(odd, 0)]", [[3, 5]]),
    ("[*t.cummax(i - j, 1), *t.cummin(b, 1), *t.cummax(x[:, :0], 1), *t.cummax(y, 0)]",
     [[3, 5], []]),
    ("t.logcumsumexp(x * 40, 1), t.logcumsumexp(x, 0), t.logcumsumexp(y, 0)", [[3, 5], []]),
    ("t.logcumsumexp(odd[3:5].flip(0), 0), t.logcumsumexp(odd, 0)", []),
    ("t.diff(x), t.diff(x, 2, 0), t.diff(x, 1, 1, y, y), t.diff(i, 9), t.diff(b), t.diff(x, 0)",
     [[3, 4], [3, 2]]),
    ("t.trace(x), t.trace(i), t.trace(x[:0])", [[3, 4]]),
    ("[*t.kthvalue(x, 2), *t.kthvalue(x, 3, 0, True), *t.kthvalue(i, 1, 1)]", [[3, 4]]),
    ("[*t.mode(i % 2, 1), *t.mode(t.tensor([3, 3, 1, 1, 2, 3, 1])), *t.mode(x.round(), 1, True)]",
     [[3, 5]]),
    ("[*t.aminmax(x), *t.aminmax(x, dim=1, keepdim=True), *t.aminmax(i, dim=0)]", [[3, 4]]),
    ("x.sum((0, 2)), x.mean((-1, 0), True), x.amax((0, 1)), x.var((0, 2)), x.logsumexp((0, 2))",
     [[2, 3, 2]]),
    ("t.sum(i, 1, dtype=t.int32), t.prod(i, dtype=t.int32), t.nansum(i, dtype=t.int8)", []),
    ("t.cumsum(i, 0, dtype=t.int32), t.cumprod(i, 0, dtype=t.uint8), i.sum(dtype=t.bool)", []),
    ("t.sum(i, 1, dtype=t.float64), t.mean(i, dtype=t.float64), t.prod(i, 1, dtype=t.float32)", []),
    ("t.cumsum(i, 0, dtype=t.float32), t.cumprod(i, 1, dtype=t.int32), F.softmax(i, 1, "
     "dtype=t.float64)", []),
    ("t.log_softmax(i, 0, dtype=t.float64), i.any(()), i.all([]), i.sum(()), x.mean(())", [[2, 3]]),
    # products by older names
    ("t.baddbmm(x, y, z), t.baddbmm(x, y, z, beta=0.5, alpha=-2)", [[2, 1], [2, 2, 3], [2, 3, 4]]),
    ("t.addbmm(x, y, z), t.addbmm(x, y, z, beta=0, alpha=2)", [[2, 1], [2, 2, 3], [2, 3, 4]]),
    ("t.addmv(x, y, z), x.addmv(y, z, beta=2, alpha=3)", [[2], [2, 3], [3]]),
    ("t.addr(x, y, z), t.addr(x, y, z, beta=0.5, alpha=2)", [[3], [2], [3]]),
    ("t.kron(x, y), t.kron(y, x), t.kron(i, j), t.kron(z, x)", [[2, 3], [2], []]),
    ("t.cross(x, y), t.cross(x, y, dim=0), t.cross(i, i + 1)", [[3, 3], [3, 3]]),
    ("t.vdot(x, y), t.inner(x, y), t.inner(z, x), t.inner(x, t.ones((), dtype=t.float64))",
     [[3], [3], [2, 3]]),
    ("t.ger(x, y), t.einsum('...ii->...i', z), t.einsum('iij->j', z.movedim(0, 2))",
     [[2], [3], [2, 3, 3]]),
    ("t.einsum('i...,i...->...', x, y), t.einsum('...,...->...', x, y)", [[2, 3], [2, 1]]),
    ("t.einsum('i...j,kj->...ik', x, y), t.einsum('i...j->j...', x)", [[2, 2, 3], [2, 3]]),
    # stacks, windows and pairs
    ("x.unfold(1, 2, 1), x.unfold(0, 2, 2), x.unfold(-1, 3, 9), x.unfold(1, 0, 2)", [[3, 4]]),
    ("y.unfold(0, 1, 1), x.t().unfold(0, 2, 1) * 2", [[3, 4], []]),
    ("x.ravel(), x.t().ravel(), t.rot90(x), t.rot90(x, -1), t.rot90(x, 2, (1, 0)), t.rot90(x, 4)",
     [[2, 3]]),
    ("t.dstack([x, y]), t.dstack([z, z]), t.column_stack([x, y]), t.row_stack([x, x])",
     [[2], [2], [2, 3]]),
    ("t.dstack([x, x]), t.column_stack([x, x]), t.column_stack([y, z.t()])", [[], [3], [2, 3]]),
    ("t.atleast_1d(x), t.atleast_2d(x), t.atleast_3d(x), t.atleast_3d(y), t.atleast_3d(z)",
     [[], [3], [2, 3]]),
    ("[*t.atleast_2d(x, y), *t.atleast_1d([x, y]), *t.broadcast_tensors(x, y, z)]",
     [[], [3], [2, 3]]),
    ("t.tensor_split(x, 3)", [[7, 2]]),
    ("t.tensor_split(x, (1, 5, 3, -1))", [[7, 2]]),
    ("[*x.tensor_split(2, dim=1), *x.hsplit(3), *x.hsplit((1,)), *x.vsplit(2), *y.hsplit([2])]",
     [[2, 3], [3]]),
    ("[*x.dsplit(2), *x.tensor_split(2), *x.tensor_split([1, 1], 1)]",
     [[2, 2, 2]]),
    ("t.block_diag(x, y, z), t.block_diag(i, x), t.block_diag()", [[2, 3], [], [2]]),
    ("t.tril_indices(3, 3), t.tril_indices(2, 4, 1), t.triu_indices(3, 2, -1), t.triu_indices(3, "
     "3, 5)", []),
    ("t.combinations(x), t.combinations(x, 3), t.combinations(x, 1), t.combinations(x, 4)", [[3]]),
    ("t.combinations(x, 2, True), t.combinations(j, 3, with_replacement=True), t.combinations(x, "
     "0)", [[3]]),
    ("t.cartesian_prod(x, y), t.cartesian_prod(x), t.cartesian_prod(x, y, x)", [[3], [2]]),
    ("t.fliplr(x), t.flipud(y), x.swapdims(0, 1), t.concat([y, y]), t.concatenate([x, x], 1)",
     [[2, 3], [3]]),
    ("x.new_tensor([1, 2]), i.new_tensor([3.0]), x.new_tensor([1], dtype=t.int64), x.mT, x.mT.mT",
     [[2, 3]]),
    # places in an order
    ("t.searchsorted(j, i), t.searchsorted(j, i, right=True), t.searchsorted(j, odd), "
     "t.searchsorted(j, 2)", []),
    ("t.searchsorted(i, t.tensor([[1], [4]])), t.searchsorted(j, 2.5), t.searchsorted(odd[:0], "
     "odd)", []),
    ("t.searchsorted(j, i, out_int32=True, side='right'), t.bucketize(i, j), t.bucketize(1.5, j)",
     []),
    ("t.searchsorted(j.flip(0), i, sorter=t.tensor([2, 1, 0])), t.bucketize(odd, j, right=True)",
     []),
    ("t.isin(i, j), t.isin(i, 3), t.isin(3, i), t.isin(i, j, invert=True), t.isin(odd, odd)", []),
    ("t.isin(i, j[:0]), t.isin(x.detach(), j), t.histc(x, 3, -1, 1), t.histc(odd, 4, -2, 2)",
     [[3]]),
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
