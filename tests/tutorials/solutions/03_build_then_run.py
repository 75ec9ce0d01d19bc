# ruff: noqa: F821  (the notebook has the rest)
# %%
def mean_distance(x, target):
    return (x - target).abs().mean()


# %%
def adding(total, amount):
    return tg.assign(total, total + amount)


# %%
def momentum_step(loss, w, speed, rate):
    faster = speed * 0.9 + tg.gradients(loss, w)[0]
    return [tg.assign(speed, faster), tg.assign(w, w - rate * faster)]
