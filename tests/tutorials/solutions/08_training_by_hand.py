# ruff: noqa: F821  (the notebook has the rest)
# %%
def backward_in_parts(w, xs, ys):
    count = sum(len(y) for y in ys)
    w.grad = None
    for x, y in zip(xs, ys):
        (loss_of(w, x, y) * (len(y) / count)).backward()


# %%
def nesterov_step(w, v, rate):
    with tg.no_grad():
        v.mul_(0.9).add_(w.grad)
        w.sub_((w.grad + v * 0.9) * rate)


# %%
def train(w, x, y, rate, steps):
    total = tg.tensor(0.0)
    for _ in range(steps):
        loss = loss_of(w, x, y)
        w.grad = None
        loss.backward()
        with tg.no_grad():
            w.sub_(w.grad * rate)
        total = total + loss.detach()
    return total / steps
