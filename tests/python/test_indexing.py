"""x[...] and x[...] = value."""

import numpy as np
import pytest
import tapegraph as tg
from errors import said

NOT_AN_INDEX = (
    "index: an int, a slice, None, ..., a tensor or array of ints or bools, or a list of such is "
    "an index, not"
)


@pytest.mark.parametrize(
    "key",
    [
        0, -1, (1, 2), (slice(None), 1), slice(1, None), slice(None, None, 2), slice(-2, None),
        (..., 0), (None, 0), (0, None, ..., 1), (slice(0, 2), slice(1, 3), slice(None, None, 3)),
        ..., slice(5, 2), slice(None), (), (slice(None), None), np.int64(1), (slice(100, 200),),
    ],
)  # fmt: skip
def test_reading_agrees_with_numpy(key):
    array = np.arange(24).reshape(2, 3, 4)
    x = tg.tensor(array)
    assert x[key].tolist() == array[key].tolist()
    if array[key].size:
        assert x[key].data_ptr() - x.data_ptr() == (
            array[key].__array_interface__["data"][0] - array.__array_interface__["data"][0]
        )


def test_a_second_ellipsis_passes_over_nothing_more():
    x = tg.arange(24).reshape(2, 3, 4)
    for key, want in (
        ((..., ...), x),
        ((..., 0, ...), x[..., 0]),
        ((0, ..., ...), x[0]),
        ((0, 1, ..., ..., 2), x[0, 1, 2]),
        ((..., None, ...), x[..., None]),
        ((..., tg.tensor([0, 1]), ...), x[..., :2]),
    ):
        assert x[key].tolist() == want.tolist()
    y = x.clone()
    y[..., 0, ...] = 9
    assert y[..., 0].unique().tolist() == [9] and y[..., 1:].tolist() == x[..., 1:].tolist()


def test_a_tensor_of_one_int_is_an_index():
    x = tg.tensor([[1, 2], [3, 4]])
    assert x[tg.tensor(1)].tolist() == [3, 4]
    assert x[tg.tensor(0), tg.tensor(1)].item() == 2


def test_writing_goes_through_to_the_base():
    x = tg.zeros(3, 4)
    x[0] = 1
    x[1, 1:3] = tg.tensor([2.0, 3.0])
    x[..., -1] = np.array([7, 8, 9])
    x[2, :2] = [5, 6]
    assert x.tolist() == [[1, 1, 1, 7], [0, 2, 3, 8], [5, 6, 0, 9]]
    x.T[0] = 0
    assert x[:, 0].tolist() == [0, 0, 0]
    x[:] = 2
    assert x.sum().item() == 24


def test_an_indexed_in_place_operator_writes_once():
    x = tg.zeros(3)
    x[1] += 5
    assert x.tolist() == [0, 5, 0]
    assert x._version == 1


def test_gradients_flow_through_reading_and_writing():
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = w * 2
    y[1] = w[0] * 10
    y.sum().backward()
    assert w.grad.tolist() == [12, 0, 2]


@pytest.mark.parametrize(
    ("key", "kind", "text"),
    [
        (3, IndexError, None),
        (-4, IndexError, None),
        ((0, 0, 0), IndexError, "index: 3 indices for a tensor of shape (3, 4), which has 2 dims"),
        ((..., ..., 0), IndexError, "index: nothing may stand behind a second ... of one key"),
        ((..., tg.tensor([0]), ..., None), IndexError, None),
        (slice(None, None, -1), ValueError,
         "index: a slice's step must be 1 or more, not -1; a tensor has no negative strides; "
         "turn the dim round first, as x.flip(0)"),
        ("a", TypeError, f"{NOT_AN_INDEX} str"),
        (1.0, IndexError, f"{NOT_AN_INDEX} float"),
        ([0.5], IndexError, "index: an array of float64 is no index; it must have ints or bools"),
        (np.array([1.0]), IndexError, None),
        (tg.tensor([1.0]), IndexError,
         "index: a tensor of float32 is no index; it must be int64 or int32, or bool for a mask"),
        (tg.tensor([1], dtype=tg.int8), IndexError, None),
        (([0, None], 1), IndexError,
         "index: a list within a key holds None, and must hold ints or bools; tg.stack makes one "
         "tensor of several"),
        (tg.tensor([0, 3]), IndexError, "index: index 3 is outside -3..2, the range of dim 0"),
        (tg.tensor([-4]), IndexError, "index: index -4 is outside -3..2, the range of dim 0"),
        ((tg.tensor([0]), [4]), IndexError,
         "index: index 4 is outside -4..3, the range of dim 1"),
        (([0, 1], [0, 1, 2]), IndexError,
         "index: the index tensors do not broadcast: (2,) and (3,), dim -1 is 2 and 3"),
        (np.array([True, False]), IndexError,
         "index: a mask of shape (2,) does not fit the dims from 0 on of (3, 4): its dim 0 is 2, "
         "not 3"),
        ((0, 0, tg.tensor([0])), IndexError,
         "index: 3 indices for a tensor of shape (3, 4), which has 2 dims"),
        (2**70, ValueError, None),
    ],
)  # fmt: skip
def test_a_wrong_index_says_what_to_use(key, kind, text):
    with pytest.raises(kind) as error:
        tg.zeros(3, 4)[key]
    if text is not None:
        assert said(error) == text


@pytest.mark.parametrize(
    ("write", "kind", "text"),
    [
        (lambda x: x.__setitem__([0, 1], tg.ones(3)), RuntimeError,
         "index_put: the value (3,) does not fit what is indexed (2, 4)"),
        (lambda x: x.__setitem__(tg.tensor([5]), 1), IndexError,
         "index_put: index 5 is outside -3..2, the range of dim 0"),
        (lambda x: x.__setitem__(x == 0, tg.ones(5)), RuntimeError,
         "index_put: the value (5,) does not fit what is indexed (12,)"),
        (lambda x: x.index_put_([], 1), IndexError, "index_put_: indices is empty"),
        (lambda x: x.index_put_(([0],), 1), TypeError,
         "index_put_: element 0 of indices must be a tensor or None, not list"),
        (lambda x: x.index_select(0, tg.tensor([-1])), IndexError,
         "index_select: index: index -1 is outside 0..2, the range of dim 0"),
        (lambda x: x.index_select(0, tg.tensor([[1]])), IndexError, None),
        (lambda x: x.take(tg.tensor([12])), IndexError,
         "take: index: index 12 is outside -12..11, the range of dim 0"),
        (lambda x: x.scatter(0, tg.tensor([[3]]), 1.0), IndexError,
         "scatter: index 3 is outside 0..2, the range of dim 0"),
        (lambda x: x.scatter(0, tg.tensor([[0]]), tg.ones(1, 1), value=2), TypeError,
         "scatter: give src or value, not both"),
        (lambda x: x.scatter(0, tg.tensor([[0]]), tg.ones(1, 1).double()), RuntimeError, None),
        (lambda x: x.index_add(0, tg.tensor([0, 1]), tg.ones(1, 4)), RuntimeError, None),
        (lambda x: x.masked_select(tg.tensor([1, 0, 1, 1])), RuntimeError,
         "masked_select: the mask is int64, not bool; compare it: mask != 0"),
        (lambda x: x.masked_scatter(x == 0, tg.ones(3)), IndexError, None),
        (lambda x: x.topk(5), RuntimeError,
         "topk: k is 5, and must be between 0 and the size of dim -1 of (3, 4)"),
        (lambda x: x.sort(2), IndexError, None),
        (lambda x: tg.bincount(tg.tensor([-1])), RuntimeError,
         "bincount: the input has an element below 0: -1"),
    ],
)  # fmt: skip
def test_a_wrong_write_or_op_changes_nothing_and_says_why(write, kind, text):
    x = tg.zeros(3, 4)
    with pytest.raises(kind) as error:
        write(x)
    if text is not None:
        assert said(error) == text
    assert not x.numpy().any()


def test_keys_of_arrays_and_lists_are_those_of_tensors():
    x = tg.arange(12).reshape(3, 4)
    array = x.numpy()
    for key in (
        np.array([2, 0]), ([0, 2], np.array([1, 1])), array > 5, np.array([True, False, True]),
        [True, False, True], (slice(None), [-1, 0]), np.array(1), np.bool_(True), np.bool_(False),
        (..., np.array([[0], [1]])), [],
    ):  # fmt: skip
        assert x[key].tolist() == array[key].tolist()


def test_one_number_is_scattered_also_from_a_tensor():
    v = tg.tensor(2.0, requires_grad=True)
    y = tg.zeros(3).scatter(0, tg.tensor([2, 0]), value=v)
    assert y.tolist() == [2, 0, 2]
    y.sum().backward()
    assert v.grad.item() == 2
    with pytest.raises(tg.OutOfMemoryError):
        tg.bincount(tg.tensor([2**63 - 1]))


def test_ints_beside_tensors_are_taken_first_as_in_pytorch():
    x = tg.zeros(2, 3, 4)
    assert x[0, :, [0, 1]].shape == (3, 2)  # in NumPy (2, 3)
    assert x[[0], :, [0, 1]].shape == (2, 3)


def test_a_value_may_be_read_from_what_it_is_written_to():
    x = tg.arange(5)
    x[tg.tensor([0, 1, 2])] = x[2:]
    assert x.tolist() == [2, 3, 4, 3, 4]
    x[tg.tensor([4, 3, 2, 1, 0])] = x
    assert x.tolist() == [4, 3, 4, 3, 2]


def test_a_mask_whose_numbers_are_known_may_be_read_in_a_trace():
    mask = np.array([True, False, True])
    known = tg.tensor([True, False, False])
    f = tg.compile(lambda x: x[mask] * x[[True, False, False]] * x[tg.constant(known)] / x[0])
    assert f(tg.tensor([2.0, 3.0, 4.0])).tolist() == [4, 8]

    def changed(x):
        mask = tg.tensor([True, False])
        mask[0] = x[0] > 5
        return x[mask]

    with pytest.raises(RuntimeError, match="depends on the data"):
        tg.compile(changed)(tg.tensor([2.0, 3.0]))


def test_one_integer_from_outside_is_read_when_the_program_runs():
    i = tg.tensor(1)

    def f(x):
        y = x * 2
        y[i] += 1
        return y[i], y

    fast = tg.compile(f)
    x = tg.tensor([[1.0], [2.0]])
    assert [t.tolist() for t in fast(x)] == [t.tolist() for t in f(x)] == [[5], [[2], [5]]]
    i.fill_(0)
    assert [t.tolist() for t in fast(x)] == [t.tolist() for t in f(x)] == [[3], [[3], [4]]]


def test_a_mask_that_is_computed_says_what_to_write():
    x = tg.tensor([1.0, -2.0])
    with pytest.raises(RuntimeError, match=r"write where\(mask, x, 0\)"):
        tg.compile(lambda x: x[x > 0])(x)

    def store(x):
        y = x * 1
        y[x > 0] = tg.ones(1) * 2
        return y

    assert tg.compile(store)(x).tolist() == store(x).tolist() == [2, -2]

    def too_many(x):
        y = x * 1
        y[x > 5] = tg.ones(2)
        return y

    with pytest.raises(RuntimeError, match="masked_scatter"):
        tg.compile(too_many)(x)


def test_a_graph_reads_and_writes_where_a_size_is_unknown():
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with tg.Graph() as graph:
        x = tg.placeholder("x", [None, 3])
        i = tg.placeholder("i", [None], dtype=tg.int64)
        v = tg.placeholder("v", [None])
        rows = (x * w)[i]
        y = x * w
        y[i, 1] = v
        total = tg.gradients((y * y).sum() + rows.sum(), [w])[0]
        first = x.topk(2, 0).values
    session = tg.Session(graph)
    data = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    feeds = {x: data, i: [1, 1, 0], v: [5.0, 6.0, 7.0]}
    got = session.run([rows, y, total, first], feeds)
    assert got[0].tolist() == [[3, 8, 15], [3, 8, 15], [0, 2, 6]]
    assert got[1].tolist() == [[0, 7, 6], [3, 6, 15]]
    assert got[2].tolist() == [24, 9, 186]
    assert got[3].tolist() == [[3, 4, 5], [0, 1, 2]]
    with pytest.raises(IndexError, match=r"index 2 is outside -2\.\.1"):
        session.run([rows], {**feeds, i: [2, 0, 0]})
    with pytest.raises(RuntimeError, match="index_put"):
        session.run([y], {**feeds, v: [5.0, 6.0]})
    with pytest.raises(RuntimeError, match="the first 2 of the 1"):
        session.run([first], {**feeds, x: data[:1]})


def test_sums_at_repeated_indices_do_not_depend_on_the_threads():
    x = tg.randn(20000, 8)
    index = (tg.rand(20000) * 50).long()
    threads = tg.get_num_threads()
    totals = []
    for n in (1, 2):
        tg.set_num_threads(n)
        y = tg.zeros(50, 8)
        y.index_put_((index,), x, accumulate=True)
        totals.append([y, tg.zeros(50, 8).index_add(0, index, x), x.sort(0).values])
    tg.set_num_threads(threads)
    for one, two in zip(*totals):
        assert one.numpy().tobytes() == two.numpy().tobytes()


def test_a_write_without_gradients_stays_in_its_bytes():
    x = tg.zeros(1000)
    address = x.data_ptr()
    array = x.numpy()
    x[[1, 2]] = 5
    x[[1, 1]] += 1
    assert x.data_ptr() == address and array[1] == 6 and x._version == 2


def test_writing_what_does_not_fit():
    x = tg.zeros(3, 4)
    with pytest.raises(RuntimeError):
        x[0] = tg.zeros(3)
    with pytest.raises(TypeError, match="a tensor, a number or an array can be stored"):
        x[0] = "a"
    with pytest.raises(TypeError, match="cannot be deleted"):
        del x[0]
    w = tg.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="no_grad"):
        w[0] = 1.0


def test_a_long_sum_into_one_place_keeps_its_digits():
    n = 10**6
    index, tenths = tg.ones(n, dtype=tg.int64), tg.full((n,), 0.1)
    exact = 0.1 * n
    z = tg.zeros(3)
    for y in (z.scatter_add(0, index, tenths), z.index_add(0, index, tenths)):
        assert y.tolist() == [0, pytest.approx(exact, rel=1e-6), 0]
    y = tg.zeros(3, 2).t()
    y[0].index_put_((index,), tenths, accumulate=True)
    assert y[:, 1].tolist() == [pytest.approx(exact, rel=1e-6), 0]
    w = tg.zeros(3, 2, requires_grad=True)
    (tg.nn.functional.embedding(index, w) * 0.1).sum().backward()
    assert w.grad[1].tolist() == pytest.approx([exact, exact], rel=1e-6)
    assert not w.grad[0].any()
