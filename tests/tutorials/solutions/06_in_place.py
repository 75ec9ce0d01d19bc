# ruff: noqa: F821  (the notebook has the rest)
# %%
def predicted_errors():
    return [False, True, False, True, False]


# %%
def replaced(x, v):
    y = x.clone()
    y[y < 0] = v
    return y


# %%
def path_of(w):
    path = [w.detach().clone()]
    for _ in range(3):
        w.grad = None
        (w * w).sum().backward()
        with tg.no_grad():
            w.sub_(0.25 * w.grad)
        path.append(w.detach().clone())
    return path
