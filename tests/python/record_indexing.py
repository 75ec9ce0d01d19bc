"""Writes indexing_recorded.json: what PyTorch's keys and ops of indexing give, in float64.

Run by hand, with PyTorch installed (2.15, on the CPU, wrote the file that is here):
PYTHONPATH=tests python tests/python/record_indexing.py. The tests only read the file, and evaluate
the same texts.
"""

import json
from pathlib import Path

import torch
from indexing_cases import derivatives, values

# x (2, 3, 4) and w (4,) are the values; i, j, k are indices, m and r masks, s one integer.
SEP = ",\n"
READS = """
x[0] x[-1,:,2] x[1,None,1:3,...] x[i] x[:,i] x[...,i] x[i,j] x[i,j,k] x[i,:,k] x[:,i,k] x[0,:,k]
x[s,:,k] x[i,None,j] x[None,i] x[i[:,None],j] x[i,...,k] x[m] x[m,1] x[:,m[0]] x[r] x[i[:2],r[i]]
x[True] x[False] x[:,True] x[True,i] x[[0,1]] x[[0,1],[1,2]] x[(1,0),] x[[]] x[...,[-1,0]]
x[i.int()] x[r.to(t.uint8)] x[-1:,j,::2] x[m][1:] x[i][0][j] x[i[:0]] x[range(2)]
x.gather(1,j[None,:,None].expand(2,3,4)) x.gather(2,i[None,None])
x.index_select(1,j) x.index_select(2,i.int()) x.take(i) t.take(x,j[None]-2)
t.take_along_dim(x,j[None,:,None],1) x.take_along_dim(i) x.masked_select(m[...,None])
t.masked_select(w,x>3) x.sort(1).values x.sort(0,descending=True).values x.sort(stable=True).values
x.topk(2).values x.topk(2,0,largest=False).values x.argsort(0) t.argsort(x,-1,True)
x.sort(1).indices x.topk(3,-1).indices t.nonzero(m) t.nonzero(m,as_tuple=True)[1] (x>2).nonzero()
t.bincount(i) t.bincount(i,w[:3].detach(),6) t.unique(j) t.unique(j,return_inverse=True)[1]
t.unique(x.detach().round(),return_counts=True)[1]
""".split()
WRITES = """
y[0]=w y[:,1]=w y[i]=w y[i]=5.0 y[0,:,k]=w[:3] y[i,j]=w y[i,:,k]=w[:3,None] y[...,k]=w[0] y[m]=w
y[m]=w[1] y[r]=w y[r]=w[None,2:3] y[:,j>0]=w y[m]=w[:1] y[x>2]=w[3] y[True]=w y[s]=w y[s,j]=w
y[i]+=w y[i,:,k]*=2 y[m]-=w y[x>2]+=w[0] y[0][j]=w y[0][j]+=w y[:,1:][i,k-2]=w y[[0,1],[1,2]]=w
y.index_put_((i,j),w) y.index_put_((i,j),w,accumulate=True) y.index_put_((r,),w,accumulate=True)
y.index_add_(1,j,x*w,alpha=2) y.index_copy_(1,j[:2],x[:,1:]*w) y.index_fill_(2,k,1.5)
y.scatter_(2,k[None,None],(x*w)[:1,:1,1:]) y.scatter_(1,j[None,:,None].expand(2,3,4),value=2.0)
y.scatter_add_(0,(x>2).long(),x*w) y.masked_scatter_(m[...,None],x*w)
y.masked_fill_(m[...,None],3.0)
""".split()


def gradients(y, v):
    """By x and w, None for zeros."""
    found = derivatives(torch, y, [v["x"], v["w"]])
    listed = [g.detach().tolist() if g is not None else None for g in found]
    return [g if g is None or any(flat(g)) else None for g in listed]


def flat(data):
    """All numbers of a nested list."""
    return [n for part in data for n in flat(part)] if isinstance(data, list) else [data]


def read(text):
    """The value of a text, and its gradients."""
    v = values(torch)
    y = eval(text, v)  # noqa: S307
    found = {"text": text, "value": y.detach().tolist(), "shape": list(y.shape)}
    if y.requires_grad:
        found["gradients"] = gradients(y, v)
    return found


def write(text):
    """y = 2 x, the text, and y."""
    v = values(torch)
    v["y"] = v["x"] * 2
    exec(text, v)  # noqa: S102
    y = v["y"]
    return {
        "text": text,
        "value": y.detach().tolist(),
        "gradients": gradients(y, v),
    }


if __name__ == "__main__":
    lines = [json.dumps(f(text)) for f, all in ((read, READS), (write, WRITES)) for text in all]
    with Path(__file__).with_name("indexing_recorded.json").open("w") as file:
        file.write(f'{{\n"reads": [\n{SEP.join(lines[: len(READS)])}\n],\n"writes": [\n')
        file.write(f"{SEP.join(lines[len(READS) :])}\n]\n}}\n")
