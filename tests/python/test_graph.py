"""Graph and Session from Python."""

import re

import numpy as np
import pytest
import tapegraph as tg
from errors import said


def linear_graph():
    w = tg.tensor([[1.0], [2.0]], requires_grad=True)
    graph = tg.Graph()
    with graph:
        x = tg.placeholder("x", [None, 2])
        y = (x @ w).relu()
        loss = y.sum()
    return graph, w, x, y, loss


def test_a_run_gives_arrays_in_the_form_of_its_fetches():
    graph, _, x, y, loss = linear_graph()
    session = tg.Session(graph)
    feed = {x: np.array([[1.0, 1.0], [2.0, -3.0]])}
    out = session.run(y, feed)
    assert isinstance(out, np.ndarray) and out.dtype == np.float32
    assert out.tolist() == [[3], [0]]
    number = session.run(loss, feed)
    assert isinstance(number, np.float32) and number == 3
    a, (b,) = session.run([loss, (y,)], feed)
    assert a == 3 and b.shape == (2, 1)
    assert session.run({"loss": loss}, feed) == {"loss": 3}
    assert session.run([], feed) == []


def test_all_executors_agree(executor):
    graph, _, x, y, _ = linear_graph()
    out = tg.Session(graph, executor=executor).run(y, {x: np.ones((3, 2))})
    assert out.tolist() == [[3], [3], [3]]


def test_feeds_may_be_lists_numbers_arrays_and_tensors():
    graph = tg.Graph("sums")
    with graph:
        a = tg.placeholder("a", [2])
        b = tg.placeholder("b", [])
        c = a + b
    session = tg.Session(graph)
    for fed in ([1, 2], (1.0, 2.0), np.array([1, 2]), tg.tensor([1, 2])):
        assert session.run(c, {a: fed, b: 1}).tolist() == [2, 3]


def test_gradients_and_assign_train_a_weight():
    w = tg.tensor([0.0, 0.0], requires_grad=True)
    graph = tg.Graph()
    with graph:
        x = tg.placeholder("x", [2])
        loss = ((w - x) ** 2).sum()
        (dw,) = tg.gradients(loss, [w])
        step = tg.assign(w, w - 0.5 * dw)
    session = tg.Session(graph)
    assert session.run(loss, {x: [3, 4]}) == 25
    assert w.tolist() == [0, 0]
    session.run(step, {x: [3, 4]})
    assert w.tolist() == [3, 4]
    assert session.run([loss, dw], {x: [3, 4]})[0] == 0


def test_only_the_lines_that_are_needed_run():
    graph, _, x, y, loss = linear_graph()
    session = tg.Session(graph, executor="lines")
    session.run(y, {x: np.ones((1, 2))})
    few = session.lines_run()
    session.run(loss, {x: np.ones((1, 2))})
    assert session.lines_run() == few + 1
    assert "matmul" in session.program(loss).text() and session.last() is not None


def test_a_symbol_prints_but_has_no_value():
    _, _, x, y, loss = linear_graph()
    assert "symbolic" in repr(y) and "(?, 1)" in repr(y) and "test_graph.py" in repr(y)
    assert repr(x.shape) == "tapegraph.Size([?, 2])" and x.is_symbolic
    assert f"{y}" == repr(y)
    for ask in (lambda: loss.item(), lambda: y.numpy(), lambda: y.tolist(), lambda: float(loss),
                lambda: np.asarray(y), lambda: f"{loss:.2f}"):  # fmt: skip
        with pytest.raises((RuntimeError, TypeError), match="symbol"):
            ask()
    with pytest.raises(RuntimeError) as error:
        if loss:
            pass
    assert said(error).startswith("bool: this tensor is a symbol of graph (test_graph.py:")
    assert "tg.where(condition, a, b)" in str(error.value)


def test_an_unknown_dim_can_be_passed_on_but_not_asked():
    graph, _, x, _, _ = linear_graph()
    n = x.shape[0]
    assert repr(n) == "?" and x.shape == x.shape
    for ask in (lambda: n == 3, lambda: n > 3, lambda: bool(n), lambda: int(n), lambda: n + 1,
                lambda: 2 * n, lambda: range(n), lambda: [1, 2][:n]):  # fmt: skip
        with pytest.raises(RuntimeError, match="not known until it is fed"):
            ask()
    with pytest.raises(RuntimeError, match="not known"):
        len(x)
    with graph:
        y = x.reshape(n, 1, 2)
    assert tg.Session(graph).run(y, {x: np.ones((5, 2))}).shape == (5, 1, 2)


def test_feeds_that_are_missing_or_misfit():
    graph, w, x, y, _ = linear_graph()
    session = tg.Session(graph)
    with pytest.raises((RuntimeError, ValueError)) as error:
        session.run(y)
    assert "x" in str(error.value)
    with pytest.raises((RuntimeError, ValueError)):
        session.run(y, {x: np.ones((2, 3))})
    with pytest.raises(TypeError) as error:
        session.run(y, {"x": 1})
    assert said(error) == (
        "Session.run: a key of feed_dict is a placeholder, not str; give the tensor that "
        "tg.placeholder returned"
    )
    with pytest.raises(TypeError) as error:
        session.run("y")
    assert said(error) == (
        "Session.run: a fetch is a tensor, or a list, tuple or dict of them, not str"
    )
    with pytest.raises(TypeError, match="only placeholders of this graph can be fed"):
        session.run(y, {x: np.ones((2, 2)), w: np.ones((2, 1)), y: np.ones((2, 1))})
    assert session.run(y, {x: np.ones((1, 2))}).tolist() == [[3]]


def test_a_feed_that_is_no_tensor_names_the_placeholder_and_both_lines():
    graph, _, x, y, _ = linear_graph()
    session = tg.Session(graph)
    place = r"placeholder 'x' \(test_graph.py:\d+\) has shape \(\?, 2\), but was fed "
    for fed, kind, text in [
        ([[1.0, 2.0], [3.0]], ValueError, "a list whose parts differ in length; feed numbers: an"),
        (None, TypeError, "one NoneType; feed numbers: an array, a list with rows of one length"),
        ([["a", "b"]], TypeError, "a list of no numbers; feed numbers"),
        (np.array(["a"]), TypeError, "an array of <U1; feed numbers"),
        (np.ones((1, 3)), ValueError, r"\(1, 3\)$"),
    ]:
        with pytest.raises(kind) as error:
            session.run(y, {x: fed})
        assert re.search(r"^Session.run \(test_graph.py:\d+\): " + place + text, str(error.value))
    with pytest.raises(TypeError) as error:
        session.run(y, [x, 1])
    assert re.search(r"^Session.run \(test_graph.py:\d+\)", str(error.value))
    assert said(error) == (
        "Session.run: feed_dict is a dict from placeholders to values, as {x: batch}, not list"
    )


def test_gradients_of_a_placeholder_without_requires_grad_say_how():
    with tg.Graph():
        x = tg.placeholder("x", [2])
        with pytest.raises(RuntimeError, match=r"call requires_grad_\(\) on it before the outputs"):
            tg.gradients((x * x).sum(), [x])
    graph = tg.Graph()
    with graph:
        x = tg.placeholder("x", [2]).requires_grad_()
        (dx,) = tg.gradients((x * x).sum(), [x])
    assert tg.Session(graph).run(dx, {x: [1, 2]}).tolist() == [2, 4]


def test_shapes_are_checked_where_the_op_is_written():
    with tg.Graph():
        x = tg.placeholder("x", [None, 3])
        with pytest.raises(RuntimeError, match=r"matmul"):
            x @ tg.zeros(4, 5)
    with pytest.raises(RuntimeError):
        tg.placeholder("x", [2])
    for shape in ("ab", 3, None):
        with pytest.raises(TypeError, match="shape must be a list"):
            with tg.Graph():
                tg.placeholder("x", shape)
    with pytest.raises(ValueError, match="a size is None or at least 0, not -2"), tg.Graph():
        tg.placeholder("x", [-2])
    with pytest.raises(TypeError, match="graph must be a Graph, not int"):
        tg.Session(3)
    with pytest.raises(TypeError, match="name must be a string, not int"):
        tg.Graph(3)
    with pytest.raises(TypeError, match="before must be a Program, not int"):
        tg.difference(1, 2)
    with pytest.raises(ValueError, match="'lines', 'planned' or 'fused', not 'fast'"):
        tg.Session(tg.Graph(), executor="fast")


def test_graphs_are_left_in_order_and_outlive_their_names():
    a, b = tg.Graph("a"), tg.Graph("b")
    a.__enter__()
    b.__enter__()
    with pytest.raises(RuntimeError, match="in the reverse of the order"):
        a.__exit__(None, None, None)
    b.__exit__(None, None, None)
    a.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="in the reverse of the order"):
        a.__exit__(None, None, None)
    assert not (tg.ones(1) + 1).is_symbolic
    with tg.Graph():
        x = tg.placeholder("x", [1])
        y = x + 1
    with pytest.raises(RuntimeError):
        y + 1
    with pytest.raises(ValueError), tg.Graph():
        int("x")
    assert not (tg.ones(1) + 1).is_symbolic


def test_a_programs_text_reads_back():
    graph, _, _, _, loss = linear_graph()
    program = tg.Session(graph).program(loss)
    program.verify()
    assert tg.parse_program(program.text()) == program
    assert [line["op"] for line in program.lines][-1] == "sum" and len(program) > 2
    seen = []
    better = program.optimise(show=lambda name, before, after: seen.append(name))
    assert seen == [name for name, *_ in tg.passes()] and isinstance(better, tg.Program)
    with pytest.raises(ValueError, match="there is no pass 'magic'"):
        program.optimise(["magic"])
    with pytest.raises((RuntimeError, ValueError)):
        tg.parse_program("nonsense")
    assert tg.difference(program, program) == ""
