"""tg.save and tg.load: what comes back, what a crash leaves, and what bad files say."""

import io
import json
import math
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
import tracemalloc

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn
from tapegraph.serialization import checksum

ALL = {
    "F32": tg.float32, "F64": tg.float64, "I64": tg.int64, "I32": tg.int32, "I8": tg.int8,
    "U8": tg.uint8, "BOOL": tg.bool, "F16": tg.float16, "BF16": tg.bfloat16, "I16": tg.int16,
}  # fmt: skip


def bits(t):
    """NumPy has no bfloat16; as float32 it is just as exact."""
    return (t.float() if t.dtype == tg.bfloat16 else t).numpy().tobytes()


def same(a, b):
    """Equal in structure, types and every bit."""
    if isinstance(a, tg.Tensor):
        return (
            isinstance(b, tg.Tensor)
            and (a.dtype, tuple(a.shape)) == (b.dtype, tuple(b.shape))
            and bits(a.detach()) == bits(b)
        )
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b)


def container(header, data=b"", length=None):
    """The bytes of a safetensors file with this header, a dict or text."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def header_of(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


# ---- what comes back ----------------------------------------------------------------------------


def test_tensors_of_every_dtype_and_shape_come_back_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(0)
    tensors = {}
    for code, dtype in ALL.items():
        for shape in ((), (0,), (3,), (2, 0, 4), (2, 3, 4)):
            values = tg.tensor(rng.integers(0, 100, shape)).to(dtype)
            tensors[f"{code}.{shape}"] = values
    tensors["special"] = tg.tensor([math.nan, math.inf, -math.inf, -0.0, 5e-324], dtype=tg.float64)
    tensors["a view"] = tg.arange(12).reshape(3, 4).t()[1:]
    tensors["expanded"] = tg.ones(1).expand(5)
    tensors["on cuda"] = tg.ones(2, 2, device="cuda")
    tensors["a parameter"] = nn.Parameter(tg.ones(3))
    tensors["ä\n\"'"] = tg.ones(1)
    tg.save(tensors, tmp_path / "a.safetensors")
    got = tg.load(tmp_path / "a.safetensors")
    tensors["on cuda"] = tensors["on cuda"].cpu()
    assert same(tensors, got)
    assert not any(t.requires_grad for t in got.values())
    got["special"].add_(1)  # its own memory, and writable


def test_a_dict_of_tensors_is_plain_safetensors(tmp_path):
    path = tmp_path / "a"
    tg.save({"w": tg.tensor([1.0, 2.0]), "n": tg.tensor([3]), "b": tg.tensor([True])}, path)
    header, data = header_of(path)
    assert list(header.pop("__metadata__")) == ["tapegraph.crc32"]
    assert header == {
        "w": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]},
        "n": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
        "b": {"dtype": "BOOL", "shape": [1], "data_offsets": [16, 17]},
    }
    assert data == bytes([3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64, 1])
    assert (len(path.read_bytes()) - len(data)) % 8 == 0


def test_an_open_file_is_written_and_read():
    file = io.BytesIO()
    file.write(b"before")
    tg.save({"w": tg.arange(3), "step": 3}, file)
    file.seek(6)
    found = tg.load(file)
    assert found["w"].tolist() == [0, 1, 2] and found["step"] == 3
    with pytest.raises(ValueError, match="load: the open file: is truncated: it has 3 bytes"):
        tg.load(io.BytesIO(b"abc"))
    with pytest.raises(TypeError, match="open it for bytes"):
        tg.load(io.StringIO("abc"))


def test_weights_only_is_taken_and_changes_nothing(tmp_path):
    tg.save({"step": 3}, tmp_path / "c")
    for weights_only in (True, False):
        assert tg.load(tmp_path / "c", weights_only=weights_only) == {"step": 3}


def test_a_file_of_another_program_is_read(tmp_path):
    path = tmp_path / "a"
    header = {
        "__metadata__": {"format": "pt"},
        "x": {"dtype": "I8", "shape": [2, 2], "data_offsets": [0, 4]},
        "y": {"dtype": "F32", "shape": [], "data_offsets": [4, 8]},
    }
    path.write_bytes(container(header, b"\x01\x02\xff\x04\0\0\x80?"))
    got = tg.load(path)
    assert got["x"].tolist() == [[1, 2], [-1, 4]] and got["y"].item() == 1
    assert tg.load(path, "cuda")["x"].is_cuda
    path.write_bytes(container({}))
    assert tg.load(path) == {}


def test_structures_of_everything_come_back(tmp_path):
    w = tg.randn(3)
    thing = {
        "model": {"w": w, "again": w, "b.c": tg.ones(1), "b": {"c": tg.zeros(1)}},
        "numbers": [1, -(2**80), 0.1, -0.0, 1e300, math.inf, -math.inf, math.nan, True, None],
        "text": 'ä\n"\U0001f600',
        "keys": {0: "int", "0": "str", 1.5: "float", None: "none", True: "bool"},
        "nested": ([], (), {}, ((1,), [2, {"x": ()}])),
        "": 3,
        "__metadata__": tg.ones(2),
        "dict": {"tensor": "w"},
        "numpy": np.float64(2.5),
    }
    tg.save(thing, tmp_path / "a")
    got = tg.load(tmp_path / "a")
    thing["numpy"] = 2.5
    assert same(thing, got)
    assert got["model"]["w"] is got["model"]["again"]
    for alone in (tg.ones(2), 3, None, "x", [], math.nan):
        tg.save(alone, tmp_path / "a")
        assert same(alone, tg.load(tmp_path / "a"))


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: {"m": [nn.Linear(1, 1)]}, TypeError,
         "m.0 is a Linear, which cannot be saved; save its state_dict()"),
        (lambda: {"g": tg.Generator()}, TypeError,
         "g is a Generator, which cannot be saved; save its get_state()"),
        (lambda: {"a": np.ones(1)}, TypeError,
         "a is a ndarray, which cannot be saved; tg.tensor makes a tensor of it"),
        (lambda: object(), TypeError, "it is a object, which cannot be saved"),
        (lambda: {"a": {(1, 2): 3}}, TypeError,
         "a has a key of type tuple; keys are strings, numbers, bools or None"),
        (lambda: {"__metadata__": tg.ones(1)}, ValueError,
         "no tensor can have the name __metadata__"),
        (lambda: {"\ud800": tg.ones(1)}, ValueError,
         "'\\ud800' in a name or string is no character"),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_leaves_the_old_file(tmp_path, make, kind, text):
    path = tmp_path / "a"
    tg.save([1], path)
    with pytest.raises(kind) as error:
        tg.save(make(), path)
    assert said(error) == f"save: {text}"
    assert tg.load(path) == [1] and os.listdir(tmp_path) == ["a"]


def test_what_holds_itself_and_what_is_symbolic(tmp_path):
    ring = []
    ring.append(ring)
    with pytest.raises(ValueError, match="is more than 64 containers deep; does one hold itself?"):
        tg.save(ring, tmp_path / "a")
    deep = 1
    for _ in range(64):
        deep = [deep]
    tg.save(deep, tmp_path / "b")
    assert tg.load(tmp_path / "b") == deep
    with tg.Graph("g"):
        x = tg.placeholder("x", [2])
    with pytest.raises(ValueError, match="save: x is symbolic"):
        tg.save({"x": x}, tmp_path / "a")
    assert os.listdir(tmp_path) == ["b"]
    with pytest.raises(FileNotFoundError, match="save: there is no folder"):
        tg.save([], tmp_path / "none" / "a")
    with pytest.raises(IsADirectoryError):
        tg.save([], tmp_path)
    with pytest.raises(FileNotFoundError, match="load: .*: there is no such file"):
        tg.load(tmp_path / "none")


# ---- resuming -----------------------------------------------------------------------------------

TRAINING = """
import sys
import tapegraph as tg
from tapegraph import nn
from tapegraph.datasets import digits
from tapegraph.utils.data import DataLoader, TensorDataset

before, epochs, after, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
images, labels = digits()
data = TensorDataset(tg.from_numpy(images[:320]), tg.from_numpy(labels[:320]))
tg.manual_seed(seed)
model = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10))
optimizer = tg.optim.SGD(model.parameters(), lr=0.3, momentum=0.9, weight_decay=0.01)
generator = tg.Generator().manual_seed(seed)
step = 0
if before != "none":
    state = tg.load(before)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    generator.set_state(state["generator"])
    step = state["step"]
for _ in range(epochs):
    for x, y in DataLoader(data, 32, shuffle=True, generator=generator, num_workers=2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.99
        step += 1
state = {
    "model": model.state_dict(), "optimizer": optimizer.state_dict(),
    "generator": generator.get_state(), "step": step,
}
tg.save(state, after)
"""


def train(before, epochs, after, seed):
    """Epochs of ten steps each, in a process of their own."""
    command = [sys.executable, "-c", TRAINING, before, epochs, after, seed]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_new_process_goes_on_to_the_last_bit(tmp_path):
    train("none", 2, tmp_path / "20", seed=1)
    train("none", 1, tmp_path / "10", seed=1)
    train(tmp_path / "10", 1, tmp_path / "10 + 10", seed=99)  # all of whose draws are overwritten
    assert (tmp_path / "10 + 10").read_bytes() == (tmp_path / "20").read_bytes()
    assert (tmp_path / "10").read_bytes() != (tmp_path / "20").read_bytes()
    state = tg.load(tmp_path / "20")
    assert state["step"] == 20 and state["generator"].tolist() == [1, 640]
    assert state["optimizer"]["state"][0]["momentum_buffer"].shape == (16, 64)


# ---- crashes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, fails):
    path = tmp_path / "a"
    tg.save({"w": tg.zeros(1000)}, path)
    before = path.read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, fails, full)
        with pytest.raises(OSError, match="No space left"):
            tg.save({"w": tg.ones(1000)}, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a"]


def test_the_disk_has_the_file_before_its_name(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder"}

    def watched_fsync(fd):
        done.append("fsync " + kinds[stat.S_IFMT(os.fstat(fd).st_mode)])
        fsync(fd)

    def watched_replace(a, b):
        assert os.path.dirname(a) == os.path.dirname(b)
        assert os.path.getsize(a) > 4000  # nothing waits in a buffer
        done.append("rename")
        replace(a, b)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    tg.save({"w": tg.zeros(1000)}, tmp_path / "a")
    assert done == ["fsync file", "rename", "fsync folder"]


def test_a_process_killed_at_any_time_leaves_a_whole_file(tmp_path):
    path = tmp_path / "a"
    program = textwrap.dedent(f"""
        import tapegraph as tg
        for i in range(10**9):
            tg.save({{"w": tg.full((200_000,), float(i)), "i": i}}, {str(path)!r})
            if i == 0:
                print("ready", flush=True)
    """)
    for round in range(6):
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.03 + 0.017 * round)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        state = tg.load(path)
        assert (state["w"] == float(state["i"])).float().mean().item() == 1
    tg.save({"i": 1}, path)
    assert tg.load(path) == {"i": 1}


def test_links_and_permissions_stay(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    tg.save([1], real)
    os.chmod(real, 0o640)
    link.symlink_to(real)
    tg.save([2], link)
    assert link.is_symlink() and tg.load(real) == [2]
    assert stat.S_IMODE(os.stat(real).st_mode) == 0o640


# ---- bad files ----------------------------------------------------------------------------------


def entry(dtype="F32", shape=(1,), offsets=(0, 4), **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def structure(node):
    meta = {"tapegraph.structure": node, "tapegraph.crc32": checksum(node, {}, {})}
    return {"__metadata__": meta}


HOSTILE = [
    (b"", "is truncated: it has 0 bytes, and the first 8 are a length"),
    (b"\0" * 7, "is truncated: it has 7 bytes, and the first 8 are a length"),
    (container({}, length=3), "is truncated: the header takes 3 bytes, and there are 2"),
    (container({}, length=2**64 - 1),
     "is no safetensors file: its header would take 18,446,744,073,709,551,615 bytes, more than "
     "100,000,000"),
    (container({}, length=10**8), "is truncated: the header takes 100,000,000 bytes, and there are "
                                  "2"),
    (container(b'{"a": ' + b"7" * 5000 + b"}"), "the header: a number of 5,000 digits is too long"),
    (container(b""), "the header: is no JSON at character 0: Expecting value"),
    (container(b"{} x"), "the header: is no JSON at character 3: Extra data"),
    (container(b'{"a\xff": 1}'), "the header is no UTF-8 at byte 11"),
    (container([]), "the header is a list and not an object"),
    (container(b"[" * 100_000), "is nested too deep"),
    (container(b'{"a":' * 100_000), "is nested too deep"),
    (container(b'{"a": 1, "b": 2, "a": 3}'), "the header: 'a' is there twice"),
    (container(b'{"a": {"shape": [], "shape": []}}'), "the header: 'shape' is there twice"),
    (container(b'{"a": NaN}'), "the header: NaN is no number in JSON"),
    (container({"__metadata__": {"a": 1}}),
     "the header: __metadata__ must have strings by name, and nothing else"),
    (container({"__metadata__": None}),
     "the header: __metadata__ must have strings by name, and nothing else"),
    (container({"a": 3}), "the header: 'a' must have a dtype, a shape and data_offsets, and "
                          "nothing else"),
    (container({"a": entry(more=1)}, b"1234"),
     "the header: 'a' must have a dtype, a shape and data_offsets, and nothing else"),
    (container({"a": entry("F8_E4M3")}, b"1234"),
     "the header: 'a': the dtype is 'F8_E4M3', and must be one of F32, F64, F16, BF16, I64, "
     "I32, I16, I8, U8, BOOL"),
    (container({"a": entry({})}, b"1234"),
     "the header: 'a': the dtype is '{}', and must be one of F32, F64, F16, BF16, I64, I32, "
     "I16, I8, U8, BOOL"),
    (container({"a": entry(shape=[-1])}, b"1234"),
     "the header: 'a': the shape must be up to 8 integers from 0 on, and is [-1]"),
    (container({"a": entry(shape=[1.0])}, b"1234"),
     "the header: 'a': the shape must be up to 8 integers from 0 on, and is [1.0]"),
    (container({"a": entry(shape=[True])}, b"1234"),
     "the header: 'a': the shape must be up to 8 integers from 0 on, and is [True]"),
    (container({"a": entry(shape=[1] * 9)}, b"1234"),
     "the header: 'a': the shape must be up to 8 integers from 0 on, and is "
     "[1, 1, 1, 1, 1, 1, 1, 1, 1]"),
    (container({"a": entry(shape=[2**63])}, b"1234"),
     "the header: 'a': the shape must be up to 8 integers from 0 on, and is [9223372036854775808]"),
    (container({"a": entry(shape=[2**62] * 8)}, b"1234"), "but data_offsets 0 to 4 are 4"),
    (container({"a": entry(shape=[0, 2**62], offsets=[0, 0])}),
     "'a': the shape (0, 4611686018427387904) cannot be: "),
    (container({"a": entry(offsets=[4, 0])}, b"1234"),
     "the header: 'a': data_offsets must be a begin and an end, and are [4, 0]"),
    (container({"a": entry(offsets=[-4, 0])}, b"1234"),
     "the header: 'a': data_offsets must be a begin and an end, and are [-4, 0]"),
    (container({"a": entry(offsets=[0, 8])}, b"12345678"),
     "the header: 'a': F32 of shape (1,) takes 4 bytes, but data_offsets 0 to 8 are 8"),
    (container({"a": entry(), "b": entry()}, b"1234"),
     "'b' overlaps 'a': it begins at byte 0, and 'a' ends at 4"),
    (container({"a": entry(shape=[2], offsets=[0, 8]), "b": entry(offsets=[4, 8])}, b"12345678"),
     "'b' overlaps 'a': it begins at byte 4, and 'a' ends at 8"),
    (container({"a": entry(offsets=[4, 8])}, b"12345678"),
     "'a' leaves a gap after the header: it begins at byte 4, and the header ends at 0"),
    (container({"a": entry()}, b"123"),
     "is truncated: the tensors take 4 bytes, and there are 3"),
    (container({"a": entry(shape=[10**12], offsets=[0, 4 * 10**12])}, b"1234"),
     "is truncated: the tensors take 4,000,000,000,000 bytes, and there are 4"),
    (container({"a": entry()}, b"12345"),
     "is too long: the tensors take 4 bytes, and there are 5"),
    (container({"a": entry("BOOL", [3], [0, 3])}, b"\0\1\2"),
     "'a': byte 2 is 2, but a bool is 0 or 1"),
    (container(structure("{")), "the structure: is no JSON at character 1: "),
    (container(structure("[" * 100_000)), "is nested too deep"),
    (container(structure("[" * 66 + "]" * 66)), "the structure is more than 64 containers deep"),
    (container(structure('{"tensor":"x"}')),
     "the structure names a tensor 'x', which is not there"),
    (container(structure('{"tensor":["x"]}')),
     "the structure: {'tensor': ['x']} stands for nothing"),
    (container(structure('{"float":"1e999"}')),
     "the structure: {'float': '1e999'} stands for nothing"),
    (container(structure('{}')), "the structure: {} stands for nothing"),
    (container(structure('{"dict":[[1]]}')), "the structure: [1] is no key and value"),
    (container(structure('{"dict":[[[1],2]]}')), "the structure: [1] is no key"),
    (container(structure('{"dict":[[1,2],[true,3]]}')),
     "the structure: the key 'True' is there twice"),
    (container({"__metadata__": {"tapegraph.crc32": "00000000"}}), "is damaged: its checksum is "),
    (container({"__metadata__": {"tapegraph.structure": "1"}}),
     "is damaged: it has a structure, but no checksum"),
    (container({"__metadata__": {"tapegraph.new": "1"}}),
     "the header: 'tapegraph.new' is unknown: of a newer tapegraph, or damaged"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(HOSTILE)))
def test_hostile_files_say_what_is_wrong_and_where(tmp_path, case):
    data, text = HOSTILE[case]
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(ValueError) as error:
        tg.load(path)
    assert said(error).startswith(f"load: {path}: ")
    assert text in said(error)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    with pytest.raises(ValueError, match="is no ordinary file"):
        tg.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is no ordinary file"):
        tg.load(tmp_path / "pipe")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """What was saved, and the bytes of its file."""
    path = tmp_path_factory.mktemp("saved") / "a"
    model = nn.Linear(3, 2)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    thing = {
        "model": dict(model.state_dict()),
        "optimizer": optimizer.state_dict(),
        "generator": tg.Generator().manual_seed(7).get_state(),
        "step": 10,
        "flags": (tg.tensor([True, False]), None, [1.5, math.inf]),
    }
    tg.save(thing, path)
    return thing, path.read_bytes()


def check(path, data, thing):
    """Either equal or a ValueError, and never much memory."""
    path.write_bytes(data)
    tracemalloc.start()
    try:
        got = tg.load(path)
    except ValueError as error:
        assert str(error).startswith(f"load: {path}: ")
    else:
        assert same(thing, got), data
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 100 * len(data) + 1_000_000


def test_a_file_truncated_anywhere_is_a_value_error(tmp_path, checkpoint):
    thing, good = checkpoint
    path = tmp_path / "x"
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(ValueError, match="load: "):
            tg.load(path)
    check(path, good, thing)


def test_every_damaged_byte_is_found_or_harmless(tmp_path, checkpoint):
    thing, good = checkpoint
    path = tmp_path / "x"
    random = np.random.default_rng(0)
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1 << int(random.integers(8))
        check(path, bytes(bad), thing)


def test_random_damage_is_found_or_harmless(tmp_path, checkpoint):
    thing, good = checkpoint
    path = tmp_path / "x"
    random = np.random.default_rng(1)
    digits = [i for i, byte in enumerate(good[8:]) if chr(byte).isdigit()]
    for _ in range(2000):
        bad = bytearray(good)
        kind = random.integers(5)
        if kind == 0:  # bytes anywhere
            for at in random.integers(0, len(bad), int(random.integers(1, 6))):
                bad[at] = random.integers(256)
        elif kind == 1:  # other numbers, in a header that is still one
            for _ in range(int(random.integers(1, 4))):
                bad[8 + digits[random.integers(len(digits))]] = random.integers(48, 58)
        elif kind == 2:  # something put in
            at = random.integers(len(bad))
            bad[at:at] = random.bytes(int(random.integers(1, 20)))
        elif kind == 3:  # something taken out
            at = random.integers(len(bad))
            del bad[at : at + random.integers(1, 20)]
        else:  # something that is there twice
            a, b = sorted(random.integers(0, len(bad), 2))
            bad[b:b] = bad[a:b]
        check(path, bytes(bad), thing)
