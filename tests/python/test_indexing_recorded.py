"""Every kind of key and the ops of indexing, on the tape and compiled, against PyTorch.

indexing_recorded.json holds what PyTorch 2.15 gives in float64; record_indexing.py beside it wrote
it, and tests/indexing_cases.py has what both begin and end with.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg
from indexing_cases import derivatives, values

RECORDED = json.loads(Path(__file__).with_name("indexing_recorded.json").read_text())
# What these give has a shape that depends on the data.
DEPENDS = """
x[m] x[m,1] x[:,m[0]] x[r] x[i[:2],r[i]] x[r.to(t.uint8)] x[m][1:] x.masked_select(m[...,None])
t.masked_select(w,x>3) t.nonzero(m) t.nonzero(m,as_tuple=True)[1] (x>2).nonzero() t.bincount(i)
t.bincount(i,w[:3].detach(),6) t.unique(j) t.unique(j,return_inverse=True)[1]
t.unique(x.detach().round(),return_counts=True)[1] y[m]-=w y[x>2]+=w[0]
""".split()


def check_gradients(y, v, recorded):
    found = derivatives(tg, y, [v["x"], v["w"]])
    assert len(found) == len(recorded)
    for got, want in zip(found, recorded):
        if want is None:
            assert got is None or not got.detach().numpy().any()
        else:
            np.testing.assert_allclose(got.detach().numpy(), np.array(want), rtol=1e-12)


@pytest.mark.parametrize("recorded", RECORDED["reads"], ids=lambda r: r["text"])
def test_reading(recorded):
    v = values(tg)
    y = eval(recorded["text"], v)
    assert list(y.shape) == recorded["shape"]
    assert y.tolist() == recorded["value"]
    if "gradients" in recorded:
        check_gradients(y, v, recorded["gradients"])


@pytest.mark.parametrize("recorded", RECORDED["writes"], ids=lambda r: r["text"])
def test_writing(recorded):
    v = values(tg)
    v["y"] = v["x"] * 2
    exec(recorded["text"], v)
    assert v["y"].tolist() == recorded["value"]
    check_gradients(v["y"], v, recorded["gradients"])
    v["y"] = (v["x"] * 2).detach()
    with tg.no_grad():
        exec(recorded["text"], v)
    assert v["y"].tolist() == recorded["value"]


def compiled(text):
    """y = 2 x, the text, and y, or what the text gives."""

    def f(x, w, i, j, k, s, m, r):
        v = {"t": tg, "x": x, "w": w, "i": i, "j": j, "k": k, "s": s, "m": m, "r": r, "y": x * 2}
        if text.startswith("y"):
            exec(text, v)
            return v["y"]
        return eval(text, v)

    return tg.compile(f)


@pytest.mark.parametrize(
    "recorded", RECORDED["reads"] + RECORDED["writes"], ids=lambda r: r["text"]
)
def test_compiled(recorded):
    text = recorded["text"]
    v = values(tg)
    arguments = [v[name] for name in "xwijksmr"]
    if text in DEPENDS:
        with pytest.raises(RuntimeError, match="depends on the data"):
            compiled(text)(*arguments)
        return
    y = compiled(text)(*arguments)
    assert y.tolist() == recorded["value"]
    if "gradients" in recorded:
        check_gradients(y, v, recorded["gradients"])
