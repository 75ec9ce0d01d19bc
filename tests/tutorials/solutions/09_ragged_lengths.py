# ruff: noqa: F821  (the notebook has the rest)
# %%
def predicted():
    return [4, 54, 32]


# %%
def last_states(x, w, counts):
    h = tg.zeros(x.shape[0], x.shape[2])
    for t in range(x.shape[1]):
        h = tg.where((t < counts).unsqueeze(1), (x[:, t] + h @ w).tanh(), h)
    return h


# %%
def clip(gradients, limit):
    length = tg.stack([(g * g).sum() for g in gradients]).sum().sqrt()
    scale = (limit / length).clamp(max=1)
    for g in gradients:
        g.mul_(scale)
    return length
