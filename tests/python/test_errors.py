"""Every mistake here raises what PyTorch raises, and names this file's line and no other's."""

import copy
import functools
import pickle
import re
import subprocess
import sys
import threading

import numpy as np
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
    "tg.empty(-1)": RuntimeError,
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
    "f.split(0)": RuntimeError,
    "f.split([1, 2])": RuntimeError,
    "f.split('a')": TypeError,
    "f.chunk(0)": RuntimeError,
    "tg.tensor(1.0).split(1)": RuntimeError,
    "tg.ones(1).expand(2**40).split(1)": RuntimeError,
    "tg.ones(1).expand(2**40).unbind()": RuntimeError,
    "tg.tensor(1.0).unbind()": IndexError,
    "f.narrow(0, 1, 2)": RuntimeError,
    "f.narrow(0, 5, 1)": IndexError,
    "f.narrow(0, 0, -1)": RuntimeError,
    "f.repeat(2)": RuntimeError,
    "f.repeat(2, -1)": RuntimeError,
    "f.repeat(2**40, 2**40)": RuntimeError,
    "f.repeat_interleave(2**62)": RuntimeError,
    "f.repeat_interleave(i)": RuntimeError,
    "tg.repeat_interleave(f.long())": RuntimeError,
    "f.repeat_interleave(tg.tensor([1, 2, 3]), 0)": RuntimeError,
    "f.repeat_interleave(tg.tensor([1, -2]), 0)": RuntimeError,
    "f.repeat_interleave(tg.tensor([1, 2]), 0, output_size=5)": RuntimeError,
    "f.repeat_interleave(2, 0, output_size=5)": RuntimeError,
    "f.repeat_interleave(f[:, 0], 0)": NotImplementedError,
    "tg.diag_embed(f, 0, 1, 1)": RuntimeError,
    "tg.diag_embed(f, 0, 5)": IndexError,
    "tg.diag_embed(f, 2**62)": RuntimeError,
    "tg.diag_embed(tg.tensor(1.0))": IndexError,
    "tg.logaddexp2(i, i)": NotImplementedError,
    "tg.fmax(f, 2)": TypeError,
    "f.div_(f, rounding_mode='a')": RuntimeError,
    "i.round_(decimals=1)": NotImplementedError,
    "f.heaviside_(1.0)": TypeError,
    "f.ldexp_(2)": TypeError,
    "i.logit_()": RuntimeError,
    "f.flip(0, 0)": RuntimeError,
    "f.flip(2)": IndexError,
    "f.roll((1, 2))": RuntimeError,
    "f.movedim(0, 2)": IndexError,
    "f.unflatten(1, (2, 2))": RuntimeError,
    "f.unflatten(1, (2**32, 2**32))": RuntimeError,
    "f.diagonal(0, 1, 1)": RuntimeError,
    "i.diagonal()": IndexError,
    "i.diag(2**40)": RuntimeError,
    "i.tril()": RuntimeError,
    "tg.meshgrid(i, f)": RuntimeError,
    "tg.meshgrid(i, 3)": TypeError,
    "tg.hstack([])": RuntimeError,
    "f.mm(i)": RuntimeError,
    "f.bmm(f)": RuntimeError,
    "tg.dot(f[0], i)": RuntimeError,
    "tg.addmm(f, f, f)": RuntimeError,
    "tg.addmm(i, tg.ones(2, 2).long(), tg.ones(2, 2).long(), beta=0.5)": RuntimeError,
    "tg.einsum('ij,jk', f, f)": RuntimeError,
    "tg.einsum('i*', f)": RuntimeError,
    "tg.einsum('ii', f)": RuntimeError,
    "tg.einsum('ij->ii', f)": RuntimeError,
    "tg.einsum('ij')": ValueError,
    "tg.einsum(f)": ValueError,
    "tg.einsum(f, [0, 52])": ValueError,
    "tg.einsum(f, [0, 0.5])": TypeError,
    "tg.einsum(f, 3)": TypeError,
    "tg.einsum(f, [0, 1], 2, [1])": TypeError,
    "tg.einsum('abcdefgh,ijklmnop', f, f)": RuntimeError,
    "tg.tensordot(f, f, 3)": RuntimeError,
    "tg.tensordot(f, f, ([0], [1]))": RuntimeError,
    "i // 0": RuntimeError,
    "i % tg.tensor([1, 0])": RuntimeError,
    "7 // tg.tensor([1, 0])": RuntimeError,
    "(i > 0) // (i > 0)": RuntimeError,
    "f & 1": RuntimeError,
    "~f": TypeError,
    "f.norm('most')": RuntimeError,
    "i.norm()": RuntimeError,
    "tg.linalg.vector_norm(tg.zeros(0), float('inf'))": IndexError,
    "f.cumprod(2)": IndexError,
    "tg.lerp(f, i, 0.5)": RuntimeError,
    "tg.addcdiv(i, i, i)": RuntimeError,
    "tg.isclose(f, f, rtol=-1)": RuntimeError,
    "tg.isclose(f, i)": RuntimeError,
    "F.glu(f)": RuntimeError,
    "F.prelu(f, i)": RuntimeError,
    "F.hardtanh(f, 2, 1)": ValueError,
    "F.mish(i)": RuntimeError,
    "tg.eye(-1)": RuntimeError,
    "tg.eye(2**40)": RuntimeError,
    "tg.linspace(0, 1, -1)": RuntimeError,
    "tg.randint(3, 3, (2,))": RuntimeError,
    "tg.randint(0, 300, (2,), dtype=tg.uint8)": RuntimeError,
    "tg.randint(-2**62, 2**62, (2,))": RuntimeError,
    "tg.randint(3)": TypeError,
    "tg.randperm(-1)": RuntimeError,
    "tg.randperm(2**50)": RuntimeError,
    "tg.bernoulli(f * 2)": RuntimeError,
    "tg.bernoulli(f, 2.0)": RuntimeError,
    "tg.normal(f, -1.0)": RuntimeError,
    "tg.normal(f, f - f - 1)": RuntimeError,
    "tg.normal(0.0, 1.0)": TypeError,
    "tg.multinomial(f, 4)": RuntimeError,
    "tg.multinomial(f, 0)": RuntimeError,
    "tg.multinomial(i, 1)": RuntimeError,
    "tg.multinomial(-f, 1)": RuntimeError,
    "tg.multinomial(f * 0, 1)": RuntimeError,
    # indexing
    "f[5]": IndexError,
    "f[0, 0, 0]": IndexError,
    "f['a']": TypeError,
    "f[1.5]": IndexError,
    "f[::-1]": ValueError,
    "tg.tensor(3)[0]": IndexError,
    "f.gather(1, tg.tensor([[5]]))": RuntimeError,
    "f.gather(1, f)": RuntimeError,
    "tg.polygamma(-1, f)": RuntimeError,
    "tg.polygamma(1.5, f)": TypeError,
    "tg.polygamma(f, 1)": TypeError,
    "f.polygamma_(f)": TypeError,
    "i.lgamma_()": RuntimeError,
    "tg.lgamma(3)": TypeError,
    "f.scatter_reduce(1, tg.tensor([[0]]), tg.ones(1, 1), 'most')": RuntimeError,
    "f.scatter_reduce(1, tg.tensor([[9]]), tg.ones(1, 1), 'prod')": IndexError,
    "f.scatter_reduce(1, tg.tensor([[9]]), tg.ones(1, 1), 'amin', include_self=False)": IndexError,
    "f.scatter_reduce(5, tg.tensor([[0]]), tg.ones(1, 1), 'mean')": IndexError,
    "f.scatter_reduce(1, tg.tensor([[0]]), 2.0, 'sum')": TypeError,
    "f.scatter_reduce(1, tg.tensor([[0]]), tg.ones(1, 1).double(), 'prod')": RuntimeError,
    "f.scatter_reduce(1, tg.tensor([0]), tg.ones(1), 'prod')": RuntimeError,
    "f.scatter(1, tg.tensor([[0]]), 2.0, reduce='sum')": RuntimeError,
    "f.scatter(1, tg.tensor([[9]]), 2.0, reduce='multiply')": IndexError,
    "tg.linalg.lu_factor(tg.zeros(2, 2))": RuntimeError,
    "tg.linalg.lu_factor(f[0])": RuntimeError,
    "tg.linalg.lu_solve(f[:2, :2], i[:1].int(), f[:2])": RuntimeError,
    "tg.linalg.lu_solve(f[:2, :2], i, f[:2])": RuntimeError,
    "tg.linalg.lu_solve(f[:2, :2], tg.tensor([9, 1]).int(), f[:2])": RuntimeError,
    "tg.linalg.lu_solve(f[:2, :2], tg.tensor([0, 1]).int(), f[:2])": RuntimeError,
    "tg.linalg.lu_solve(f[:2, :2], tg.tensor([1, 2]).int(), tg.ones(3, 1))": RuntimeError,
    "tg.norm(tg.ones(2, 2, 2), 'nuc')": RuntimeError,
    "tg.norm(f, 'nuc', dim=0)": RuntimeError,
    "F.grid_sample(f, f)": RuntimeError,
    "F.grid_sample(tg.ones(1, 1, 2, 2), tg.ones(1, 1, 1, 3))": RuntimeError,
    "F.grid_sample(tg.ones(1, 1, 2, 2), tg.ones(2, 1, 1, 2))": RuntimeError,
    "F.grid_sample(tg.ones(1, 1, 0, 2), tg.ones(1, 1, 1, 2))": RuntimeError,
    "F.grid_sample(tg.ones(1, 1, 2, 2), tg.ones(1, 1, 1, 2).double())": RuntimeError,
    "F.grid_sample(tg.ones(1, 1, 2, 2), tg.ones(1, 1, 1, 2), 'cubic')": ValueError,
    "F.grid_sample(tg.ones(1, 1, 2, 2), tg.ones(1, 1, 1, 2), 'nearest', 'wrap')": ValueError,
    "F.grid_sample(tg.ones(1, 1, 2, 2, 2), tg.ones(1, 1, 1, 1, 3), 'bicubic')": RuntimeError,
    "F.affine_grid(f, (1, 1, 2, 2))": ValueError,
    "F.affine_grid(tg.ones(1, 2, 3), (1, 1, 0, 2))": ValueError,
    "F.affine_grid(tg.ones(1, 2, 3), (1, 2, 2))": NotImplementedError,
    "f.scatter_add(1, tg.tensor([[0, 1]]), tg.ones(1, 1))": RuntimeError,
    "f.scatter_add(1, tg.tensor([[0]]), tg.ones(1, 1, dtype=tg.float64))": RuntimeError,
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
    "i.mean()": NotImplementedError,
    "i.var()": NotImplementedError,
    "i.std()": NotImplementedError,
    "i.softmax(0)": NotImplementedError,
    "i.log_softmax(0)": NotImplementedError,
    "tg.rand(2, dtype=tg.int64)": NotImplementedError,
    "tg.randn(2, dtype=tg.int64)": NotImplementedError,
    "i.clone().normal_()": NotImplementedError,
    "i.clone().uniform_()": NotImplementedError,
    "i.add_(0.5)": RuntimeError,
    "(i > 0) - (i > 0)": RuntimeError,
    "-(i > 0)": RuntimeError,
    "f.item()": RuntimeError,
    "bool(f)": RuntimeError,
    "float(f)": ValueError,
    "int(f)": ValueError,
    "complex(f)": ValueError,
    "float(tg.zeros(0))": ValueError,
    "[1, 2][f]": TypeError,
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
    "in_graph(lambda: f.requires_grad_())": RuntimeError,
    "in_graph(lambda: tg.placeholder('x', [None, 3]).split(2))": RuntimeError,
    "in_graph(lambda: tg.placeholder('x', [None, 3]).tril())": RuntimeError,
    "in_graph(lambda: tg.placeholder('x', [None, 3]).roll(1, 0))": RuntimeError,
    "in_graph(lambda: tg.equal(tg.placeholder('x', [3]), f))": RuntimeError,
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


FIXES = {
    "tg.ones(32, 784) @ tg.ones(128, 10)":
        "matmul: a (32, 784) has 784 columns, but b (128, 10) has 128 rows",
    "tg.ones(32, 784) @ tg.ones(128, 784)":
        "matmul: a (32, 784) has 784 columns, but b (128, 784) has 128 rows; transpose b?",
    "tg.ones(784, 32) @ tg.ones(784, 10)":
        "matmul: a (784, 32) has 32 columns, but b (784, 10) has 784 rows; transpose a?",
    "f @ f": "matmul: a (2, 3) has 3 columns, but b (2, 3) has 2 rows; transpose a or b?",
    "f @ tg.ones(2)": "matmul: a (2, 3) has 3 columns, but b (2,) has 2 elements; transpose a?",
    "tg.ones(3) @ tg.ones(1)": "matmul: a (3,) has 3 elements, but b (1,) has 1 elements",
    "tg.ones(3) @ f": "matmul: a (3,) has 3 elements, but b (2, 3) has 2 rows; transpose b?",
    "tg.ones(5, 2, 3) @ tg.ones(4, 3)":
        "matmul: a (5, 2, 3) has 3 columns, but b (4, 3) has 4 rows; transpose b?",
    "tg.ones(5, 2, 3) @ tg.ones(4, 2, 3)":
        "matmul: a (5, 2, 3) has 3 columns, but b (4, 2, 3) has 2 rows",
    "tg.ones(32, 10) + tg.ones(32)":
        "add: shapes (32, 10) and (32,) do not broadcast: dim -1 is 10 and 32; reshape the second "
        "to (32, 1)?",
    "tg.ones(4) * tg.ones(4, 2, 3)":
        "mul: shapes (4,) and (4, 2, 3) do not broadcast: dim -1 is 4 and 3; reshape the first to "
        "(4, 1, 1)?",
    "tg.ones(4) * tg.ones(3)":
        "mul: shapes (4,) and (3,) do not broadcast: dim -1 is 4 and 3; make them equal, or one of "
        "them 1",
    "f.reshape(2, 2)":
        "reshape: (2, 3) has 6 elements, which do not fit (2, 2); reshape it to (3, 2)?",
    "f.reshape(5, 4)": "reshape: (2, 3) has 6 elements, which do not fit (5, 4)",
    "f.reshape(4, -1)":
        "reshape: (2, 3) has 6 elements, which do not fit (4, -1); 6 is no multiple of 4",
    "f.reshape(0, 4)": "reshape: (2, 3) has 6 elements, which do not fit (0, 4)",
    "f.reshape(2**62, 3, 0)":
        "reshape: (2, 3) has 6 elements, which do not fit (4611686018427387904, 3, 0)",
    "tg.ones(3).expand(3, 4)":
        "expand: (3,) does not expand to (3, 4): dim 1 is 3, not 1 or 4; reshape it to (3, 1)?",
    "tg.ones(1, 3).expand(3)": "expand: (1, 3) has more dims than (3,); reshape it to (3,)?",
    "tg.ones(2, 3).expand(3)": "expand: (2, 3) has more dims than (3,)",
    "tg.ones(3).expand(2, 4)": "expand: (3,) does not expand to (2, 4): dim 1 is 3, not 1 or 4",
    "f.gather(1, i)":
        "gather: the index (2,) and the tensor (2, 3) need the same number of dims; "
        "index.unsqueeze(1)?",
    "f.gather(1, tg.tensor([0, 0, 0]))":
        "gather: the index (3,) and the tensor (2, 3) need the same number of dims",
    "tg.empty(2, -3)": "empty: the shape (2, -3) has a negative size",
    "tg.nn.Linear(2, -1)": "empty: the shape (-1, 2) has a negative size",
    "float(f)": "float: a tensor of shape (2, 3) has 6 elements, not one",
    "int(f)": "int: a tensor of shape (2, 3) has 6 elements, not one",
}  # fmt: skip


@pytest.mark.parametrize("mistake", FIXES)
def test_a_misfit_names_its_fix_where_one_would_fit(mistake):
    with pytest.raises((RuntimeError, ValueError)) as error:
        eval(mistake)
    assert re.sub(r" \(<string>:1\)", "", str(error.value), count=1) == FIXES[mistake]


def test_a_library_in_between_is_not_the_line_that_is_named():
    here = re.compile(r"\(test_errors.py:\d+\)")
    for call in (lambda: np.sum(f), lambda: np.mean(leaf() * 2)):
        with pytest.raises(TypeError) as error:
            call()
        assert here.search(str(error.value)), str(error.value)
    with pytest.raises(RuntimeError) as refused:
        copy.deepcopy([leaf() * 2])
    assert str(refused.value).startswith("deepcopy (test_errors.py:")
    with pytest.raises(RuntimeError) as refused:
        pickle.dumps({"a": leaf() * 2})
    assert str(refused.value).startswith("pickle (test_errors.py:")
    with pytest.raises(IndexError) as outside:
        functools.reduce(lambda x, k: x[k], [0, 0, 9], f)
    assert here.search(str(outside.value))
    lines = []
    # The user's function is not on the stack here, so the library's own line has to do.
    thread = threading.Thread(target=tg.cat, args=([],))
    hook, threading.excepthook = threading.excepthook, lambda e: lines.append(str(e.exc_value))
    thread.start()
    thread.join()
    threading.excepthook = hook
    assert re.fullmatch(r"cat \(threading.py:\d+\): an empty list of tensors", lines[0])


class Forgets(tg.nn.Module):
    def __init__(self):
        self.width = 3


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m(f),
        lambda m: [*m.parameters()],
        lambda m: [*m.named_buffers()],
        lambda m: repr(m),
        lambda m: m.train(),
        lambda m: m.training,
        lambda m: m.state_dict(),
        lambda m: m.zero_grad(),
        lambda m: m.get_parameter("weight"),
        lambda m: m.register_forward_hook(print),
    ],
)
def test_a_module_that_forgets_super_init_is_told_so(use):
    module = Forgets()
    assert module.width == 3
    with pytest.raises(AttributeError, match="Forgets: its __init__ does not call super"):
        use(module)
    with pytest.raises(AttributeError, match="Forgets: call super.* before registering scale"):
        module.register_buffer("scale", f)
    with pytest.raises(AttributeError, match="Forgets has no attribute 'height'"):
        module.height  # noqa: B018


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
for owner in (tg, tg.Tensor, tg.nn.functional, tg.linalg, tg.Graph, tg.Program, tg.Node, tg.device):
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
