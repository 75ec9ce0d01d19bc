"""Every mistake here raises what PyTorch raises, and names this file's line and no other's."""

import copy
import pickle
import re
import subprocess
import sys

import pytest
import tapegraph as tg

F = tg.nn.functional
f = tg.ones(2, 3)
i = tg.tensor([1, 2])
grown = tg.zeros(1, 3).expand(2, 3)

MISTAKES = {
    # sizes
    "tg.tensor(2**70)": ValueError,
    "i + 2**70": OverflowError,
    "tg.zeros(2**70)": TypeError,
    "tg.zeros(2**62, 2**62)": RuntimeError,
    "tg.zeros(2**50)": RuntimeError,
    "tg.full((2**50,), 1.0)": MemoryError,
    "tg.zeros(-1)": RuntimeError,
    "tg.nn.Linear(-1, 3)": RuntimeError,
    "tg.ones(1).expand(2**40, 2**40).sum()": RuntimeError,
    "tg.rand(2, -1)": RuntimeError,
    "tg.arange(-3)": RuntimeError,
    # lists
    "tg.tensor([[1, 2], [3]])": ValueError,
    "tg.tensor([[1], 2])": TypeError,
    "tg.tensor([1, None])": RuntimeError,
    "tg.tensor(int)": RuntimeError,
    "tg.tensor('abc')": TypeError,
    "tg.tensor([1, 2], requires_grad=1)": TypeError,
    "tg.tensor(1, dtype='float32')": TypeError,
    "tg.from_numpy(3)": TypeError,
    # dims and shapes
    "f.max(5)": IndexError,
    "f.sum(dim=3)": IndexError,
    "f.sum('a')": TypeError,
    "f.mean(7)": IndexError,
    "f.unsqueeze(5)": IndexError,
    "f.flatten(1, 0)": RuntimeError,
    "f.view(4)": RuntimeError,
    "f.t().view(6)": RuntimeError,
    "f.reshape(-1, -1)": RuntimeError,
    "f.reshape(4)": RuntimeError,
    "f.permute(0, 0)": RuntimeError,
    "f.expand(4, 3)": RuntimeError,
    "f.softmax(5)": IndexError,
    "tg.zeros(0).max()": RuntimeError,
    "tg.zeros(0, 3).amax(0)": IndexError,
    "tg.cat([])": ValueError,
    "tg.cat([f, i])": RuntimeError,
    "tg.stack([f, i])": RuntimeError,
    "f + tg.zeros(4)": RuntimeError,
    "f @ i": RuntimeError,
    "f @ f": RuntimeError,
    "tg.where(f, f, f)": RuntimeError,
    "F.linear(f, tg.ones(4, 4))": RuntimeError,
    "F.cross_entropy(f, tg.tensor([0, 5]))": IndexError,
    "F.cross_entropy(f, tg.tensor([0.0, 1.0]))": RuntimeError,
    "F.mse_loss(f, f, reduction='max')": ValueError,
    "F.one_hot(i, 2)": RuntimeError,
    "F.one_hot(-i, 2)": RuntimeError,
    # indexing
    "f[5]": IndexError,
    "f[0, 0, 0]": IndexError,
    "f['a']": TypeError,
    "f[1.5]": IndexError,
    "f[::-1]": ValueError,
    "tg.tensor(3)[0]": IndexError,
    "f.gather(1, tg.tensor([[5]]))": RuntimeError,
    "f.gather(1, f)": RuntimeError,
    "f.select(0, 9)": IndexError,
    "tg.tensor(3).size(0)": IndexError,
    "tg.tensor(3).stride(0)": IndexError,
    "len(tg.tensor(1))": TypeError,
    "iter(tg.tensor(1))": TypeError,
    # numbers and dtypes
    "i ** -1": RuntimeError,
    "i.add(i, alpha=1.5)": RuntimeError,
    "i.sub_(i, alpha=1.5)": RuntimeError,
    "f.clone().normal_(0, -1)": RuntimeError,
    "f.clone().uniform_(2, 1)": RuntimeError,
    "i.requires_grad_()": RuntimeError,
    "i.mean()": RuntimeError,
    "i.add_(0.5)": RuntimeError,
    "(i > 0) - (i > 0)": RuntimeError,
    "-(i > 0)": RuntimeError,
    "f.item()": RuntimeError,
    "bool(f)": RuntimeError,
    # the tape
    "grown.add_(1)": RuntimeError,
    "f.backward()": RuntimeError,
    "(leaf() * 2).backward()": RuntimeError,
    "(leaf() * 2).backward(tg.ones(3))": RuntimeError,
    "twice()": RuntimeError,
    "leaf().add_(1)": RuntimeError,
    "leaf().numpy()": RuntimeError,
    # devices
    "tg.device('tpu')": RuntimeError,
    "f.to('tpu')": RuntimeError,
    "f + f.cuda()": RuntimeError,
    "f.cuda().numpy()": TypeError,
    # graphs
    "tg.placeholder('x', [2])": RuntimeError,
    "in_graph(lambda: tg.placeholder('x', 2))": TypeError,
    "in_graph(lambda: tg.placeholder('x', [-2]))": ValueError,
    "in_graph(lambda: f.add_(1))": RuntimeError,
    "in_graph(lambda: bool(f.sum() > 0))": RuntimeError,
    "in_graph(lambda: tg.ones(2).requires_grad_())": RuntimeError,
    "leaked() + 1": RuntimeError,
    "bool(leaked() > 0)": RuntimeError,
    "tg.compile(lambda x: x + tg.zeros(2**50))(f)": RuntimeError,
    "tg.compile(lambda x: x if x.sum() > 0 else -x)(f)": RuntimeError,
    "tg.optim.SGD([], lr=0.1)": ValueError,
    "tg.optim.SGD([leaf()], lr=-1)": ValueError,
}


def leaf():
    return tg.ones(2, requires_grad=True)


def twice():
    loss = (leaf() * leaf()).sum()
    loss.backward()
    loss.backward()


def in_graph(body):
    with tg.Graph():
        return body()


def leaked():
    return in_graph(lambda: f * 2)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_raises_what_pytorch_raises_and_names_its_line(mistake):
    with pytest.raises(MISTAKES[mistake]) as error:
        eval(mistake)
    text = str(error.value)
    assert not re.search(r"\w+\.(cc|h):\d+", text), text
    # Python's own and the modules' errors come with a traceback that ends there.
    own = "tapegraph" in str(error.traceback[-1].path) or "len(" in mistake or "iter(" in mistake
    assert own or re.search(r"(<string>|\w+\.py):\d+", text), text


def classes():
    session = tg.Session(tg.Graph())
    compiled = tg.compile(lambda x: x)
    program = tg.parse_program(in_graph_program())
    node = (leaf() * 2).grad_fn
    return [session.graph, program, node, tg.float32, tg.device("cpu"), session._session,
            compiled._program]  # fmt: skip


def in_graph_program():
    graph = tg.Graph()
    with graph:
        tg.ones(2) + 1
    return graph.text()


def test_no_class_makes_an_object_without_its_inside():
    for made in classes():
        kind = type(made)
        with pytest.raises(TypeError):
            kind.__new__(kind)
        with pytest.raises(TypeError):
            object.__new__(kind)
        for copied in (copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))):
            try:
                repr(copied(made))
            except TypeError as error:
                assert "cannot pickle" in str(error)  # noqa: PT017
    assert copy.deepcopy(tg.float32) is tg.float32
    assert pickle.loads(pickle.dumps(tg.device("cuda"))) is tg.device("cuda")
    assert tg.device("cpu") is tg.device(type="cpu")
    with pytest.raises(TypeError):
        type("Mine", (tg.Graph,), {})


def test_nothing_that_is_typed_ends_the_process(tmp_path):
    """Each public name is called with what nobody should call it with."""
    script = """
import tapegraph as tg, itertools
odd = [None, -1, 0, 2**70, 1.5, float("nan"), "a", b"", [], (), {}, object(), tg.ones(2, 3), int,
       tg.Tensor, tg.float32, [[1], [2, 3]], tg.zeros(0), tg.tensor(3), lambda *a: a]
skip = {"set_num_threads", "lockstep", "demo"}
count = 0
for owner in (tg, tg.Tensor, tg.nn.functional, tg.Graph, tg.Program, tg.Node, tg.device):
    for name in dir(owner):
        if name.startswith("__") or name in skip:
            continue
        what = getattr(owner, name)
        if not callable(what):
            continue
        for n in (0, 1, 2):
            for given in itertools.product(odd, repeat=n):
                try:
                    repr(what(*given))
                except (Exception, SystemExit) as error:
                    str(error)
                count += 1
print("still here after", count > 50000)
"""
    command = [sys.executable, "-W", "ignore", "-c", script]  # which also saves to a file "a"
    run = subprocess.run(command, capture_output=True, text=True, timeout=500, cwd=tmp_path)
    assert run.stdout.endswith("still here after True\n"), run.stderr[-2000:]
