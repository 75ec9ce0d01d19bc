# ruff: noqa: F821  (the notebook has the rest)
# %%
def smooth_abs_backward(g, x, y):
    return g * x / y


# %%
class LimitGradient(tg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, g):
        return g.clamp(-1, 1)


def limit_gradient(x):
    return LimitGradient.apply(x)


# %%
def share_backward(g, total, y):
    return (g - (g * y).sum()) / total
