# %%
def sum_back(g, shape):
    while g.dim() > len(shape):
        g = g.sum(0)
    for dim, size in enumerate(shape):
        if size == 1:
            g = g.sum(dim, keepdim=True)
    return g


# %%
def logsumexp_gradient(x, g):
    return g.unsqueeze(1) * x.softmax(1)


# %%
def layer_norm_gradient(x, g):
    from_mean = x - x.mean(1, keepdim=True)
    s = (from_mean * from_mean).mean(1, keepdim=True).sqrt()
    y = from_mean / s
    return (g - g.mean(1, keepdim=True) - y * (g * y).mean(1, keepdim=True)) / s
