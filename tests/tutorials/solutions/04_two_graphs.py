# ruff: noqa: F821  (the notebook has the rest)
# %%
def predicted_lines():
    return [5, 4, 1]


# %%
def newton(a):
    y = a
    for _ in range(20):
        y = (y + a / y) * 0.5
    return y


# %%
def limit_as_argument(limit):
    return tg.tensor(limit)
