"""Nodes and errors know the user's line, not the package's."""

import inspect

import pytest
import tapegraph as tg
from errors import said
from tapegraph import _lines, nn


def here():
    return inspect.currentframe().f_back.f_lineno


def test_a_node_names_the_line_of_its_operator():
    w = tg.ones(2, requires_grad=True)
    y, line = w * 2, here()
    assert y.grad_fn.line == f"test_lines.py:{line}"
    z = y.sum(
        0,
    )
    assert z.grad_fn.line == f"test_lines.py:{line + 2}"


def test_a_module_gives_the_line_that_called_it():
    layer = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    y, line = layer(tg.ones(1, 2)), here()
    node = y.grad_fn
    while node.next_functions and node.next_functions[0][0] is not None:
        assert node.line == f"test_lines.py:{line}"
        node = node.next_functions[0][0]


def test_a_users_own_module_gives_the_line_in_forward():
    class Net(nn.Module):
        def forward(self, x):
            self.line = here() + 1
            return x * 2

    net = Net()
    assert net(tg.ones(2, requires_grad=True)).grad_fn.line == f"test_lines.py:{net.line}"


def test_an_in_place_write_is_named_by_its_line():
    w = tg.ones(2, requires_grad=True)
    y = w.exp()
    y += 1
    line = here() - 1
    with pytest.raises(RuntimeError, match=rf"test_lines.py:{line}\b"):
        y.sum().backward()


def test_lines_of_lambdas_and_evaluated_code():
    f = eval("lambda w: w * 2", {})
    w = tg.ones(1, requires_grad=True)
    assert f(w).grad_fn.line == "<string>:1"
    scope = {"w": w}
    exec(compile("\n\ny = w * 2", "made/up.py", "exec"), scope)
    assert scope["y"].grad_fn.line == "up.py:3"


def test_a_notebooks_cell_has_its_number():
    assert _lines.place("<ipython-input-3-0a1b2c>", 2) == "cell 3, line 2"
    assert _lines.place("/home/me/train.py", 12) == "train.py:12"


def test_ipykernels_file_names_are_looked_up(monkeypatch):
    import sys
    import types

    shell = types.SimpleNamespace(
        compile=types.SimpleNamespace(_filename_map={"/tmp/ipykernel_1/23.py": 7})
    )
    module = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert _lines.place("/tmp/ipykernel_1/23.py", 4) == "cell 7, line 4"
    assert _lines.place("/tmp/ipykernel_1/99.py", 4) == "99.py:4"


def test_the_line_of_an_error_in_a_traced_function_is_in_the_function():
    def broken(x):
        return x @ x

    line = broken.__code__.co_firstlineno + 1
    with pytest.raises(RuntimeError) as error:
        tg.compile(broken)(tg.ones(2, 3))
    assert "matmul" in str(error.value)
    frames = inspect.trace()
    assert error.traceback[-1].lineno + 1 == line and frames is not None


W = tg.ones(2, requires_grad=True)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: tg.compile(3), TypeError, "compile: a function is compiled, not int"),
        (lambda: tg.optim.SGD([W], lr=object()), TypeError, "SGD: lr must be a number, not object"),
        (lambda: tg.optim.SGD([W], lr="a"), TypeError, "SGD: lr must be a number, not str"),
        (lambda: tg.optim.SGD([W], lr=-1), ValueError, "SGD: lr must not be negative, and is -1"),
        (lambda: tg.optim.Adam([W], betas=3), TypeError,
         "Adam: betas must be two numbers, and is 3"),
        (lambda: tg.optim.Adam([W], betas=("a", 0.9)), TypeError,
         "Adam: betas must be two numbers, and is ('a', 0.9)"),
        (lambda: tg.optim.Adam([W], betas=(0.9, 1.0)), ValueError,
         "Adam: betas[1] must be in [0, 1), and is 1.0"),
        (lambda: tg.optim.Adam(3), TypeError,
         "Adam: params must be parameters, as model.parameters() or [w], not int"),
        (lambda: nn.Linear(2, 2).load_state_dict(3), TypeError,
         "load_state_dict: a dict is loaded, not int"),
        (lambda: nn.Linear(2, 2).load_state_dict({"weight": W}), RuntimeError,
         'Error(s) in loading state_dict for Linear:\n\tMissing key(s) in state_dict: "bias".\n\t'
         "size mismatch for weight: copying a param with shape (2,) from checkpoint, the shape in "
         "current model is (2, 2)."),
        (lambda: nn.Linear(2, 2).register_buffer("b", 3), TypeError,
         "b: must be a tensor, not int"),
        (lambda: nn.Linear(2, 2).train(3), ValueError,
         "train: mode must be True or False, not int"),
        (lambda: W[::0], ValueError,
         "index: slice step cannot be zero; leave it out, or give 1 or more"),
        (lambda: W[None, ::-1], ValueError,
         "index: a slice's step must be 1 or more, not -1; a tensor has no negative strides; turn "
         "the dim round first, as x.flip(1)"),
        (lambda: tg.softmax(tg.tensor([1]), 0), NotImplementedError,
         "softmax: needs a floating dtype, and this tensor is int64; cast it first"),
        (lambda: tg.tensor([True]) @ tg.tensor([True]), NotImplementedError,
         "matmul: of bools it is not defined; cast them first"),
        (lambda: tg.ones(2).to(5), RuntimeError,
         'to: devices have no numbers; "cpu" and "cuda" are all'),
        (lambda: tg.ones(2, 2) @ tg.ones(2, 2).to("cuda"), RuntimeError,
         'matmul: one tensor is on cpu and another on cuda; move one with .to("cuda") or '
         '.to("cpu")'),
    ],
)  # fmt: skip
def test_an_error_names_its_line_and_the_fix(call, kind, text):
    with pytest.raises(kind) as error:
        call()
    assert "(test_lines.py:" in str(error.value)
    assert said(error) == text
