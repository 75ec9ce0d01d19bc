"""Datasets, samplers, DataLoader with and without threads; and the readers of files."""

import collections
import gc
import gzip
import os
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import zipfile

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph.datasets import digits, fashion_mnist, names, shakespeare
from tapegraph.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    default_collate,
    default_convert,
    random_split,
)
from tapegraph.utils.readers import read_csv, read_idx, read_npy, read_npz, read_text


class Numbers(Dataset):
    """0, 1, ... n - 1, each of which may take a while, or be an error."""

    def __init__(self, n, seconds=lambda i: 0, fails_at=None):
        self.n, self.seconds, self.fails_at = n, seconds, fails_at

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        time.sleep(self.seconds(i))
        if i == self.fails_at:
            raise KeyError(f"item {i} is not there")
        return i


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        yield from range(self.n)


def batches(loader):
    return [batch.tolist() for batch in loader]


def workers():
    return [t for t in threading.enumerate() if t.name.startswith("DataLoader")]


# ---- datasets -----------------------------------------------------------------------------------


def test_item_i_of_a_tensor_dataset_is_item_i_of_each():
    data = TensorDataset(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([5, 6]))
    assert len(data) == 2
    x, y = data[1]
    assert x.tolist() == [3, 4] and y.item() == 6
    with pytest.raises(IndexError):
        data[2]
    with pytest.raises(ValueError) as error:
        TensorDataset(tg.ones(2, 3), tg.ones(4))
    assert said(error) == ("TensorDataset: tensor 0 (2, 3) has 2 items, but tensor 1 (4,) has 4")
    with pytest.raises(TypeError, match="argument 0 is a ndarray and not a tensor; tg.tensor"):
        TensorDataset(np.ones(3))
    with pytest.raises(ValueError, match="tensor 0 has no dims"):
        TensorDataset(tg.tensor(1.0))


def test_subsets_and_concatenations_find_their_items():
    data = Numbers(3) + Subset(Numbers(10), [7, 5])
    assert isinstance(data, ConcatDataset) and len(data) == 5
    assert [data[i] for i in range(5)] == [0, 1, 2, 7, 5]
    assert data[-1] == 5 and data[-5] == 0
    for index in (5, -6):
        with pytest.raises(IndexError, match=f"index {index} is out of range for 5 items"):
            data[index]
    assert [ConcatDataset([Numbers(0), Numbers(2), Numbers(0), Numbers(1)])[i] for i in (0, 2)] == [
        0,
        0,
    ]
    with pytest.raises(TypeError, match="dataset 1 is an IterableDataset"):
        ConcatDataset([Numbers(1), Stream(1)])


def test_a_random_split_cuts_every_item_once_and_repeats_by_its_seed():
    parts = random_split(Numbers(10), [7, 3], generator=1)
    assert [len(p) for p in parts] == [7, 3]
    assert sorted([*parts[0], *parts[1]]) == list(range(10))
    again = random_split(Numbers(10), [7, 3], generator=seeded(1))
    assert [list(p) for p in again] == [list(p) for p in parts]
    assert [len(p) for p in random_split(Numbers(10), [0.5, 0.25, 0.25])] == [6, 2, 2]
    assert [len(p) for p in random_split(Numbers(1), [1, 0])] == [1, 0]
    assert [len(p) for p in random_split(Numbers(4), [1.0])] == [4]
    for lengths, text in [
        ([5, 4], "the lengths [5, 4] sum to 9, but the dataset has 10 items"),
        ([0.5, 0.4], "the fractions [0.5, 0.4] sum to 0.9 and not to 1"),
        ([11, -1], "a length is negative in [11, -1]"),
    ]:
        with pytest.raises(ValueError) as error:
            random_split(Numbers(10), lengths)
        assert said(error) == f"random_split: {text}"


# ---- samplers and chance ------------------------------------------------------------------------


def seeded(seed):
    return tg.Generator().manual_seed(seed)


def test_a_sampler_draws_as_randperm_and_randint_do():
    g, sampler = seeded(3), RandomSampler(Numbers(100), generator=seeded(3))
    for _ in range(2):
        assert list(sampler) == tg.randperm(100, generator=g).tolist()
    assert g.get_state().tolist() == sampler.generator.get_state().tolist() == [3, 200]
    again = RandomSampler(Numbers(6), replacement=True, num_samples=9, generator=seeded(3))
    assert list(again) == tg.randint(6, (9,), generator=g.manual_seed(3)).tolist()
    subset = SubsetRandomSampler([5, 7, 9], generator=seeded(3))
    order = tg.randperm(3, generator=g.manual_seed(3)).tolist()
    assert list(subset) == [[5, 7, 9][i] for i in order]


def test_a_state_that_is_taken_before_an_epoch_gives_its_order_again():
    g = seeded(7)
    loader = DataLoader(Numbers(20), 20, shuffle=True, generator=g)
    batches(loader)
    state = g.get_state()
    order = batches(loader)
    assert batches(loader) != order
    g.set_state(state)
    assert batches(loader) == order


def test_the_order_of_a_seed_never_changes():
    sampler = RandomSampler(Numbers(10), generator=0)
    assert list(sampler) == [7, 1, 3, 2, 6, 0, 5, 4, 8, 9]
    assert list(sampler) == [0, 6, 2, 8, 3, 4, 1, 7, 5, 9]


def test_orders_and_integers_are_equally_likely():
    sampler = RandomSampler(Numbers(3), generator=7)
    counts = collections.Counter(tuple(sampler) for _ in range(6000))
    assert len(counts) == 6 and max(abs(c - 1000) for c in counts.values()) < 150
    sampler = RandomSampler(Numbers(5), replacement=True, num_samples=10000, generator=7)
    counts = collections.Counter(sampler)
    assert sorted(counts) == [0, 1, 2, 3, 4]
    assert max(abs(c - 2000) for c in counts.values()) < 200


def test_samplers():
    assert list(SequentialSampler(Numbers(3))) == [0, 1, 2]
    sampler = RandomSampler(Numbers(20), generator=seeded(0))
    a, b = list(sampler), list(sampler)
    assert sorted(a) == sorted(b) == list(range(20)) and a != b and len(sampler) == 20
    more = list(RandomSampler(Numbers(3), num_samples=8, generator=0))
    assert len(more) == 8 and sorted(more[:3]) == sorted(more[3:6]) == [0, 1, 2]
    drawn = list(RandomSampler(Numbers(3), replacement=True, num_samples=50, generator=0))
    assert len(drawn) == 50 and set(drawn) == {0, 1, 2}
    assert list(RandomSampler(Numbers(0))) == []
    assert sorted(SubsetRandomSampler([4, 2, 9], 5)) == [2, 4, 9]
    batched = BatchSampler(SequentialSampler(Numbers(5)), 2, drop_last=False)
    assert list(batched) == [[0, 1], [2, 3], [4]] and len(batched) == 3
    batched = BatchSampler(SequentialSampler(Numbers(5)), 2, drop_last=True)
    assert list(batched) == [[0, 1], [2, 3]] and len(batched) == 2
    with pytest.raises(ValueError, match="batch_size must be a positive integer, and is 0"):
        BatchSampler([], 0, False)


# ---- collating ----------------------------------------------------------------------------------


def test_collating_keeps_dtypes_and_containers():
    Pair = collections.namedtuple("Pair", "x y")

    def check(batch, dtype, shape):
        got = default_collate(batch)
        assert (got.dtype, tuple(got.shape)) == (dtype, shape)
        return got

    check([tg.ones(2, 3), tg.ones(2, 3)], tg.float32, (2, 2, 3))
    check([np.ones(3, np.uint8)] * 2, tg.uint8, (2, 3))
    check([np.float32(1), np.float32(2)], tg.float32, (2,))
    check([1, 2, 3], tg.int64, (3,))
    check([1, 2.5], tg.float64, (2,))
    check([True, False], tg.bool, (2,))
    assert check([True, 2], tg.int64, (2,)).tolist() == [1, 2]
    assert default_collate(["a", "b"]) == ["a", "b"]
    rows = default_collate([(tg.ones(2), 3), (tg.zeros(2), 4)])
    assert (
        type(rows) is list and rows[0].tolist() == [[1, 1], [0, 0]] and rows[1].tolist() == [3, 4]
    )
    both = default_collate([{"x": 1, "y": "a"}, {"x": 2, "y": "b"}])
    assert both["x"].tolist() == [1, 2] and both["y"] == ["a", "b"]
    pair = default_collate([Pair(1, 2.0), Pair(3, 4.0)])
    assert type(pair) is Pair and pair.y.tolist() == [2, 4]
    assert default_convert({"a": np.ones(2), "b": ("x", np.int64(3))})["b"][1].item() == 3


@pytest.mark.parametrize(
    ("batch", "kind", "text"),
    [
        ([tg.ones(2), tg.ones(3)], RuntimeError,
         "item 0 has shape (2,), but item 1 has (3,); pad them, or write a collate_fn"),
        ([np.ones(2), np.ones(2, "f4")], RuntimeError,
         "item 0 has dtype float64, but item 1 has float32; pad them, or write a collate_fn"),
        ([[1, 2], [1]], RuntimeError,
         "item 0 has length 2, but item 1 has 1; pad them, or write a collate_fn"),
        ([{"a": 1}, {"b": 1}], RuntimeError,
         "item 0 has keys {'a'}, but item 1 has {'b'}; pad them, or write a collate_fn"),
        ([tg.ones(1), 3], TypeError, "Tensor and int do not make one batch"),
        ([None], TypeError,
         "an item is a NoneType; it must be a tensor, an array, a number, a string, or a dict, "
         "tuple or list of these; or write a collate_fn"),
        ([], RuntimeError, "there is no item"),
    ],
)  # fmt: skip
def test_what_does_not_make_a_batch(batch, kind, text):
    with pytest.raises(kind) as error:
        default_collate(batch)
    assert said(error) == f"default_collate: {text}"


# ---- DataLoader ---------------------------------------------------------------------------------


@pytest.mark.parametrize("num_workers", [0, 1, 3])
def test_the_order_is_the_same_whatever_the_number_of_workers(num_workers):
    def uneven(i):
        return 0.003 * (i % 4 == 0)

    loader = DataLoader(
        Numbers(23, uneven), batch_size=4, shuffle=True, num_workers=num_workers, generator=5
    )
    first, second = batches(loader), batches(loader)
    g = seeded(5)
    for epoch in (first, second):
        order = tg.randperm(23, generator=g).tolist()
        assert epoch == [order[i : i + 4] for i in range(0, 23, 4)]
    assert len(loader) == 6 and not workers()


@pytest.mark.parametrize("num_workers", [0, 2])
def test_without_a_generator_the_order_follows_from_manual_seed(num_workers):
    loader = DataLoader(Numbers(50), 50, shuffle=True, num_workers=num_workers)
    tg.manual_seed(4)
    first, second = batches(loader), batches(loader)
    assert first != second
    tg.manual_seed(4)
    assert [batches(loader), batches(loader)] == [first, second]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_every_way_to_choose_batches(num_workers):
    def load(data, *args, **kwargs):
        loader = DataLoader(data, *args, num_workers=num_workers, **kwargs)
        return batches(loader), len(loader)

    assert load(Numbers(5), 2) == ([[0, 1], [2, 3], [4]], 3)
    assert load(Numbers(5), 2, drop_last=True) == ([[0, 1], [2, 3]], 2)
    assert load(Numbers(5), 2, sampler=[4, 0, 1]) == ([[4, 0], [1]], 2)
    assert load(Numbers(5), batch_sampler=[[1], [2, 3]]) == ([[1], [2, 3]], 2)
    assert load(Numbers(0), 3) == ([], 0)
    assert load(TensorDataset(tg.arange(3)), None, collate_fn=lambda item: item[0]) == (
        [0, 1, 2],
        3,
    )
    assert batches(DataLoader(Stream(5), 2, num_workers=num_workers)) == [[0, 1], [2, 3], [4]]
    assert batches(DataLoader(Stream(5), 2, drop_last=True, num_workers=num_workers)) == [
        [0, 1],
        [2, 3],
    ]
    assert list(DataLoader(Stream(3), None, num_workers=num_workers)) == [0, 1, 2]
    summed = DataLoader(Numbers(4), 2, collate_fn=sum, num_workers=num_workers)
    assert list(summed) == [1, 5]
    with pytest.raises(TypeError):
        len(DataLoader(Stream(3)))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_come_in_pinned_memory_if_asked(num_workers):
    class Own:
        def pin_memory(self):
            return "pinned by itself"

    data = [{"x": tg.ones(2) * i, "pair": (i, "name")} for i in range(4)]
    for batch in DataLoader(data, 2, pin_memory=True, num_workers=num_workers):
        assert batch["x"].is_pinned() and batch["pair"][0].is_pinned()
        assert batch["pair"][1] == ["name", "name"]
    ((x, y),) = DataLoader([1], pin_memory=True, collate_fn=lambda _: (tg.ones(2).cuda(), Own()))
    assert x.is_cuda and y == "pinned by itself"
    assert not any(x.is_pinned() for x in DataLoader(range(3)))


def test_what_pytorchs_processes_need_is_taken_and_changes_nothing():
    loader = DataLoader(range(5), 2, num_workers=2, timeout=9, persistent_workers=True)
    assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3], [4]]


def test_a_loader_of_real_digits_trains():
    images, labels = digits()
    data = TensorDataset(tg.from_numpy(images), tg.from_numpy(labels))
    train, test = random_split(data, [1437, 360], generator=0)
    tg.manual_seed(0)
    model = tg.nn.Linear(64, 10)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.5)
    for x, y in DataLoader(train, 32, shuffle=True, generator=0, num_workers=2):
        optimizer.zero_grad()
        tg.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    ((x, y),) = DataLoader(test, 360)
    assert x.shape == (360, 64) and y.dtype == tg.int64
    assert (model(x).argmax(1) == y).float().mean().item() > 0.8


def test_workers_run_at_once_and_no_further_ahead_than_asked():
    began = []
    data = Numbers(40, lambda i: began.append(i) or 0.02)
    start = time.monotonic()
    assert len(list(DataLoader(data, 1, num_workers=8))) == 40
    assert time.monotonic() - start < 0.02 * 40 * 0.75
    began.clear()
    iterator = iter(DataLoader(data, 1, num_workers=2, prefetch_factor=3))
    next(iterator)
    deadline = time.monotonic() + 20
    while len(began) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(began) == 6
    iterator.close()
    time.sleep(0.1)
    assert len(began) == 6 and not workers()


@pytest.mark.parametrize("num_workers", [0, 1, 4])
def test_an_error_of_a_dataset_arrives_in_its_turn_with_its_own_traceback(num_workers):
    loader = DataLoader(Numbers(20, fails_at=9), 2, num_workers=num_workers)
    got = []
    with pytest.raises(KeyError, match="item 9 is not there") as error:
        for batch in loader:
            got.append(batch.tolist())
    assert got == [[0, 1], [2, 3], [4, 5], [6, 7]]
    text = "".join(traceback.format_tb(error.value.__traceback__))
    assert 'raise KeyError(f"item {i} is not there")' in text
    assert not workers()


def test_an_error_in_an_iterable_or_in_collating_arrives_too():
    class Broken(IterableDataset):
        def __iter__(self):
            yield 1
            raise OSError("the file is gone")

    for num_workers in (0, 2):
        with pytest.raises(OSError, match="the file is gone"):
            list(DataLoader(Broken(), 1, num_workers=num_workers))

        def collate(items):
            raise ZeroDivisionError("in collate")

        with pytest.raises(ZeroDivisionError, match="in collate"):
            list(DataLoader(Numbers(3), 1, num_workers=num_workers, collate_fn=collate))
    assert not workers()


@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_error_of_a_sampler_arrives_in_its_turn(num_workers):
    def order():
        yield 0
        yield 1
        raise LookupError("no more indices")

    got = []
    with pytest.raises(LookupError, match="no more indices"):
        for batch in DataLoader(Numbers(9), sampler=order(), num_workers=num_workers):
            got += batch.tolist()
    assert got == [0, 1] and not workers()


def test_leaving_a_loop_early_ends_the_threads():
    loader = DataLoader(Numbers(1000, lambda i: 0.001), 2, num_workers=3)
    for _ in loader:
        assert len(workers()) == 3
        break
    gc.collect()
    assert not workers()
    with pytest.raises(ZeroDivisionError):
        for _ in loader:
            1 / 0  # noqa: B018
    gc.collect()
    assert not workers()
    iterator = iter(loader)
    next(iterator)
    del iterator
    assert not workers()
    iter(loader)  # of which nothing was asked
    assert not workers()
    ring = [iter(loader)]
    next(ring[0])
    ring.append(ring)
    del ring
    gc.collect()
    assert not workers()


def test_workers_have_the_grad_mode_of_the_loop():
    class Made(Dataset):
        w = tg.ones(1, requires_grad=True)

        def __len__(self):
            return 1

        def __getitem__(self, i):
            return self.w * 2

    for num_workers in (0, 1):
        with tg.no_grad():
            assert not next(iter(DataLoader(Made(), num_workers=num_workers))).requires_grad
        assert next(iter(DataLoader(Made(), num_workers=num_workers))).requires_grad


def test_ctrl_c_ends_a_loop_that_waits_for_workers():
    program = textwrap.dedent("""
        import sys, threading, time
        import tapegraph as tg
        from tapegraph.utils.data import DataLoader, Dataset

        class Slow(Dataset):
            def __len__(self):
                return 100
            def __getitem__(self, i):
                if i:
                    time.sleep(0.5 if i < 50 else 3600)
                return i

        try:
            for batch in DataLoader(Slow(), sampler=[0, 1, 2, 99], num_workers=2):
                print("ready", flush=True)
        except KeyboardInterrupt:
            print("interrupted")
            sys.exit(7)
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert child.stdout.readline() == "ready\n"
    time.sleep(1.5)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=30)
    assert out.endswith("interrupted\n") and child.returncode == 7


def test_a_program_that_ends_inside_a_loop_ends():
    program = textwrap.dedent("""
        import tapegraph as tg
        from tapegraph.utils.data import DataLoader, TensorDataset
        data = TensorDataset(tg.ones(1000, 200, 200))
        kept = iter(DataLoader(data, 8, num_workers=4, prefetch_factor=8))
        next(kept)
        other = iter(DataLoader(data, 8, num_workers=4))
        next(other)
        print("end")
    """)
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
        )
        assert (done.stdout, done.stderr, done.returncode) == ("end\n", "", 0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"num_workers": -1}, "num_workers must be 0 or more, and is -1"),
        ({"prefetch_factor": 2}, "prefetch_factor asks for workers, but num_workers is 0"),
        ({"prefetch_factor": 0, "num_workers": 1},
         "prefetch_factor must be a positive integer, and is 0"),
        ({"sampler": [0], "shuffle": True}, "give either a sampler or shuffle, not both"),
        ({"batch_sampler": [[0]], "batch_size": 2},
         "a batch_sampler excludes batch_size, shuffle, sampler and drop_last"),
        ({"batch_size": None, "drop_last": True},
         "without a batch_size there is no last batch to drop"),
    ],
)  # fmt: skip
def test_arguments_that_exclude_each_other(arguments, text):
    with pytest.raises(ValueError) as error:
        DataLoader(Numbers(3), **arguments)
    assert said(error) == f"DataLoader: {text}"


def test_other_wrong_arguments():
    with pytest.raises(ValueError, match="an IterableDataset comes in its own order"):
        DataLoader(Stream(3), shuffle=True)
    with pytest.raises(TypeError, match="must be a Generator, a seed or None, not str"):
        DataLoader(Numbers(3), generator="x")


# ---- readers ------------------------------------------------------------------------------------


def idx(code, shape, data):
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_of_every_dtype(tmp_path, packed):
    for code, dtype in {8: "u1", 9: "i1", 11: "i2", 12: "i4", 13: "f4", 14: "f8"}.items():
        want = np.arange(6).reshape(2, 3).astype(dtype)
        data = idx(code, (2, 3), want.astype(want.dtype.newbyteorder(">")).tobytes())
        path = tmp_path / "a"
        path.write_bytes(gzip.compress(data) if packed else data)
        got = read_idx(path)
        assert got.dtype == want.dtype and got.dtype.isnative and (got == want).all()
    path.write_bytes(idx(8, (0, 28), b""))
    assert read_idx(path).shape == (0, 28)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is truncated: the head takes 4 bytes, and there are 0"),
        (b"PNG!", "is no IDX file; it begins with the bytes 50 4e 47 21"),
        (b"\0\0\x08\x02\0\0", "is truncated: the sizes takes 8 bytes, and there are 2"),
        (idx(8, (2, 3), b"12345"),
         "is truncated: an array (2, 3) of uint8 takes 6 bytes, and there are 5"),
        (idx(8, (2, 3), b"1234567"), "goes on after the data that its head promises"),
        (idx(14, (2**32 - 1,) * 3, b""),
         "is truncated: an array (4294967295, 4294967295, 4294967295) of float64 takes "
         "633,825,299,671,392,843,082,401,579,000 bytes, and there are 0"),
        (gzip.compress(idx(8, (6,), b"123456"))[:-9],
         "is truncated: the packed data stops in the middle"),
    ],
)  # fmt: skip
def test_idx_files_that_are_none(tmp_path, data, text):
    (tmp_path / "x.idx").write_bytes(data)
    with pytest.raises(ValueError) as error:
        read_idx(tmp_path / "x.idx")
    assert said(error) == f"read_idx: {tmp_path / 'x.idx'}: {text}"


def test_csv_files(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\ufeff1,2.5\r\n\r\n-3,1e3\r\n", encoding="utf-8", newline="")
    got = read_csv(path)
    assert got.dtype == np.float32 and got.tolist() == [[1, 2.5], [-3, 1000]]
    path.write_text("a b\n9007199254740993 2\n")
    got = read_csv(path, np.int64, delimiter=" ", header=True)
    assert got.tolist() == [[9007199254740993, 2]]
    path.write_text("")
    assert read_csv(path).shape == (0, 0)


@pytest.mark.parametrize(
    ("data", "dtype", "text"),
    [
        (b"1,2\n\n3\n", "f4", "line 3 has 1 columns, but line 1 has 2"),
        (b"1,2\n3,x\n", "f4", "line 2, column 2: 'x' is no number"),
        (b"1,2\n3,\n", "f4", "line 2, column 2: '' is no number"),
        (b"1_0\n", "f4", "line 1, column 1: '1_0' is no number"),
        (b"1,2.5\n", "i8", "line 1, column 2: '2.5' is no integer"),
        (b"1,300\n", "u1", "line 1, column 2: '300' does not fit into uint8"),
        (b"1\n\xff\n", "f4",
         "is no utf-8-sig text: line 2 has a byte 0xff (2 bytes into the file)"),
    ],
)  # fmt: skip
def test_csv_files_that_are_none(tmp_path, data, dtype, text):
    (tmp_path / "x.csv").write_bytes(data)
    with pytest.raises(ValueError) as error:
        read_csv(tmp_path / "x.csv", dtype)
    assert said(error) == f"read_csv: {tmp_path / 'x.csv'}: {text}"


def test_numpy_files(tmp_path):
    path = tmp_path / "a.npy"
    for want in (
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(True),
        np.zeros((0, 3), ">f4"),
        np.arange(3, dtype=">i4"),
    ):
        np.save(path, want)
        got = read_npy(path)
        assert got.dtype == want.dtype.newbyteorder("=") and got.shape == want.shape
        assert (got == want).all() and got.flags.writeable
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "b.npz", x=np.ones(3), y=np.arange(2))
        got = read_npz(tmp_path / "b.npz")
        assert list(got) == ["x", "y"] and got["y"].tolist() == [0, 1]


def test_numpy_files_that_are_none(tmp_path):
    path = tmp_path / "a.npy"

    def text(data=None):
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(ValueError) as error:
            read_npy(path)
        assert str(error.value).startswith(f"read_npy: {path}: ")
        return str(error.value).removeprefix(f"read_npy: {path}: ")

    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    assert text() == "holds Python objects; only arrays of numbers are read"
    np.save(path, np.zeros(2, "U3"))
    assert "only arrays of numbers" in text()
    np.save(path, np.arange(10.0))
    good = path.read_bytes()
    assert text(good[:-1]) == (
        "is truncated: an array (10,) of float64 takes 80 bytes, and there are 79"
    )
    assert text(good + b"x") == "goes on after the data that its head promises"
    assert text(b"hello, world") == "is no .npy file; it begins with b'hello, w'"
    assert text(good[:6] + b"\x09" + good[7:]) == (
        "has the version (9, 0); 1.0 and 2.0 can be read"
    )
    huge = good.replace(b"(10,), }" + b" " * 9, b"(99999999999,), }")
    assert text(huge) == (
        "is truncated: an array (99999999999,) of float64 takes 799,999,999,992 bytes, and there "
        "are 80"
    )
    random = np.random.default_rng(0)
    for _ in range(300):  # never another exception
        bad = bytearray(good)
        for at in random.integers(0, len(bad), 3):
            bad[at] = random.integers(256)
        path.write_bytes(bytes(bad))
        try:
            read_npy(path)
        except ValueError:
            pass


def test_archives_that_are_none(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(ValueError, match="is damaged: File is not a zip file"):
        read_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "x")
    with pytest.raises(ValueError, match="the entry 'notes.txt' is no .npy file"):
        read_npz(path)
    np.savez_compressed(path, x=np.arange(100.0))
    good = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(300):
        bad = bytearray(good)
        for at in random.integers(0, len(bad), 2):
            bad[at] = random.integers(256)
        path.write_bytes(bytes(bad)[: random.integers(len(bad) // 2, 2 * len(bad))])
        try:
            read_npz(path)
        except ValueError:
            pass


def test_text_files(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("ä\r\nb\rc\n".encode())
    assert read_text(path) == "ä\nb\nc\n"
    path.write_bytes(gzip.compress(b"packed"))
    assert read_text(path) == "packed"
    path.write_bytes(b"a\nb\xe4")
    with pytest.raises(ValueError) as error:
        read_text(path)
    assert said(error).endswith("is no utf-8 text: line 2 has a byte 0xe4 (3 bytes into the file)")
    assert read_text(path, "latin-1") == "a\nbä"
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        read_text(tmp_path / "none")


# ---- what is bundled ----------------------------------------------------------------------------


def test_names_and_plays_are_bundled():
    every = names()
    assert len(every) == 5163 and every == sorted(every) and every[0] == "aaron"
    assert all(name.isascii() and name.islower() for name in every)
    plays = shakespeare()
    assert len(plays) == 730_042 and plays.startswith("HAMLET, PRINCE OF DENMARK\n")
    assert plays.count("by William Shakespeare") == 6


def test_fashion_mnist_is_read_from_a_folder(tmp_path):
    images = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(8, images.shape, images.tobytes()))
    labels = tmp_path / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(idx(8, (2,), b"\x07\x03")))
    x, y = fashion_mnist(tmp_path, train=False)
    assert (x == images).all() and y.tolist() == [7, 3] and y.dtype == np.int64
    labels.write_bytes(idx(8, (3,), b"\x07\x03\x01"))
    with pytest.raises(ValueError, match=r"there are 2 images, but the labels are uint8 \(3,\)"):
        fashion_mnist(tmp_path, train=False)
    with pytest.raises(FileNotFoundError) as error:
        fashion_mnist(tmp_path)
    assert "there is no train-images-idx3-ubyte" in said(error)
    assert "apt-get install dataset-fashion-mnist" in said(error)
