"""How parameters start. Each writes into the tensor and gives it back.

generator: a tg.Generator to draw from instead of the default one.
"""

from __future__ import annotations

import math

import numpy as np

from .. import _C
from .._C import Generator, Tensor
from ..autograd import no_grad


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform in [a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normal, of this mean and standard deviation."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    with no_grad():
        return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    return constant_(tensor, 1.0)


def eye_(tensor: Tensor) -> Tensor:
    """Ones where row and column are the same, else zeros: tensor (M, N)."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: a tensor of 2 dims, not {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    with no_grad():
        i = _C.arange(rows, device=tensor.device).reshape(-1, 1)
        return tensor.copy_(i == _C.arange(columns, device=tensor.device))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal, of this mean and standard deviation, given that it is in [a, b].

    x = mean + std sqrt(2) erfinv(u), with u uniform between erf at a and erf at b.
    """
    low, high = (math.erf((end - mean) / (std * math.sqrt(2))) for end in (a, b))
    with no_grad():
        u = _C.empty(tensor.shape, dtype=_C.float64, device=tensor.device)
        u.uniform_(low, high, generator=generator)
        x = _erfinv(u) * (std * math.sqrt(2)) + mean
        return tensor.copy_(x.clamp(a, b))


def _erfinv(y: Tensor) -> Tensor:
    """x with erf(x) = y: a start that is right to 0.002 [Winitzki 2008], and Newton's steps.

    With e = (erf x - y) / erf'(x) a step is x - e / (1 + x e) [Halley].
    """
    y = y.clamp(-1 + 1e-15, 1 - 1e-15)
    log = (1 - y * y).log()
    half = 2 / (math.pi * 0.147) + log / 2
    x = y.sign() * ((half * half - log / 0.147).sqrt() - half).sqrt()
    for _ in range(3):
        e = (x.erf() - y) * (math.sqrt(math.pi) / 2) * (x * x).exp()
        x = x - e / (1 + x * e)
    return x


# ---- by the size of a layer ---------------------------------------------------------------------


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """How many times wider weights start before a nonlinearity, so that values keep their size.

    param is leaky_relu's slope, 0.01 unless given. Raises ValueError for an unknown name.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + slope**2))
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
    if nonlinearity not in gains:
        raise ValueError(
            f"calculate_gain: {nonlinearity!r} is none of {', '.join([*gains, 'leaky_relu'])}"
        )
    return gains[nonlinearity]


def _fans(op: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs an output is made of, and the reverse: weight (out, in, *kernel)."""
    if tensor.ndim < 2:
        raise ValueError(f"{op}: a weight has 2 dims or more, (out, in), not {tuple(tensor.shape)}")
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform in (-a, a), a = gain sqrt(6 / (in + out)). [Glorot & Bengio 2010]"""
    bound = gain * math.sqrt(6 / sum(_fans("xavier_uniform_", tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal, of standard deviation gain sqrt(2 / (in + out)). [Glorot & Bengio 2010]"""
    std = gain * math.sqrt(2 / sum(_fans("xavier_normal_", tensor)))
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(op: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{op}: mode is 'fan_in' or 'fan_out', not {mode!r}")
    fan = _fans(op, tensor)[mode == "fan_out"]
    if tensor.numel() == 0:
        return 0.0
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform in (-b, b), b = gain sqrt(3 / fan); a is leaky_relu's slope. [He et al. 2015]"""
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal, of standard deviation gain / sqrt(fan); a is leaky_relu's slope. [He et al. 2015]"""
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """gain times a random matrix (out, in ...) whose rows, or columns if those are fewer, are of
    length 1 and at right angles. [Saxe et al. 2013]"""
    if tensor.ndim < 2:
        raise ValueError(
            f"orthogonal_: a weight has 2 dims or more, (out, in), not {tuple(tensor.shape)}"
        )
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    shape = (max(rows, columns), min(rows, columns))
    drawn = _C.randn(*shape, dtype=_C.float64, generator=generator)
    q, r = np.linalg.qr(drawn.numpy())
    q *= np.sign(np.diag(r))  # or the signs would not be random
    if rows < columns:
        q = q.T
    with no_grad():
        return tensor.copy_(gain * _C.from_numpy(q).reshape(tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution's weight (out, in, ...) that hands on its input: in each group output i is
    input i, and outputs beyond the inputs are 0."""
    if not 3 <= tensor.ndim <= 5:
        raise ValueError(
            f"dirac_: a convolution's weight has 3 to 5 dims, (out, in, ...), not "
            f"{tuple(tensor.shape)}"
        )
    if groups < 1 or tensor.shape[0] % groups:
        raise ValueError(f"dirac_: {tensor.shape[0]} outputs do not make {groups} groups")
    each = tensor.shape[0] // groups
    centre = tuple(size // 2 for size in tensor.shape[2:])
    with no_grad():
        tensor.zero_()
        for group in range(groups):
            for i in range(min(each, tensor.shape[1])):
                tensor[(group * each + i, i, *centre)] = 1
    return tensor


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Normal, of standard deviation std, but for the share sparsity of each column (out,), chosen
    at random, which is 0: tensor (out, in). [Martens 2010]"""
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: a tensor of 2 dims, not {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    order = _C.rand(rows, columns, generator=generator).to(tensor.device).argsort(0)
    with no_grad():
        normal_(tensor, 0.0, std, generator)
        return tensor.masked_fill_(order < math.ceil(sparsity * rows), 0.0)
