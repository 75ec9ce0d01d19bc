# ruff: noqa: F821  (the notebook has the rest)
# %%
def predicted_strides():
    return [(4, 1), (12, 1), (12, 4), (1, 12, 4), (12, 8, 1), (0, 1)]


# %%
def contiguous(shape):
    strides = []
    step = 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return tuple(strides)


# %%
def broadcast_shape(a, b):
    n = max(len(a), len(b))
    out = []
    for p, q in zip((1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b):
        if p != q and p != 1 and q != 1:
            return (-1,)
        out.append(q if p == 1 else p)
    return tuple(out)
