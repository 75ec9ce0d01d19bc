"""Functions of functions, as torch.func has them: they go with each other and with tg.compile.

    per_sample = vmap(grad(loss), in_dims=(None, 0, 0))(weights, xs, ys)

vmap       a function of one example becomes one of many
grad, grad_and_value, vjp, jvp, jacrev, jacfwd, hessian       derivatives
functional_call, stack_module_state       modules as functions of their parameters
"""

from __future__ import annotations

from .derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp
from .modules import functional_call, stack_module_state
from .vmap import vmap

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "stack_module_state",
    "vjp",
    "vmap",
]
