# ruff: noqa: F821  (the notebook has the rest)
# %%
def gradients_of(tape):
    g = [0.0] * len(tape)
    g[-1] = 1.0
    for i in reversed(range(len(tape))):
        op, left, right, _ = tape[i]
        if op == "x":
            continue
        g[left] += g[i] if op == "+" else g[i] * tape[right].value
        g[right] += g[i] if op == "+" else g[i] * tape[left].value
    return g


# %%
def slope(f, x):
    h = 1e-5
    return (f(x + h) - f(x - h)) / (2 * h)


# %%
def logged_loss(x):
    y = x.exp()
    loss = (y * y).sum()
    log = y + 1
    return loss, log
