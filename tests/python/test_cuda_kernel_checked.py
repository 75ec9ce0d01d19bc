"""Kernels of one's own under the checks: tg.cuda.compile_kernel(..., checked=True)."""

import shutil
import sys
import threading
from xml.etree import ElementTree

import numpy as np
import pytest
import tapegraph as tg
from tapegraph import cuda_build

SOURCE = """
__global__ void reverse(int* y, const int* x) {
    __shared__ int copy[64];
    copy[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = copy[63 - threadIdx.x];  // no barrier
}

__global__ void twice(float* x) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    x[i] *= 2;  // no guard
}

__global__ void transpose(float* y, const float* x) {
    __shared__ float tile[32][32];
    tile[threadIdx.y][threadIdx.x] = x[threadIdx.y * 32 + threadIdx.x];
    __syncthreads();
    y[threadIdx.y * 32 + threadIdx.x] = tile[threadIdx.x][threadIdx.y];  // by columns
}

template <class T>
__global__ void polynomial(T* x, T factor) {
    T t = x[threadIdx.x] * factor;
    T y = 1;
    for (int i = 0; i < 3; ++i) y = y * t + 1;
    x[threadIdx.x] = y;
}

__global__ void bins(int* y, const int* x) {
    atomicAdd(&y[x[threadIdx.x]], 1);
}

__global__ void sum_of_columns(float* y, const float* x) {
    float sum = 0;
    for (int r = 0; r < 32; ++r)
        sum += x[r * 32 + threadIdx.x];
    y[threadIdx.x] = sum;
}

__global__ void all_say_7(int* y) { y[0] = 7; }

__global__ void outside(int* y) {
    int table[4] = {};
    y[0] = table[y[1]];  // of four
}
"""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("g++") is None or not cuda_build.is_gcc("g++"),
    reason="no g++ on Linux",
)


def checked(name):
    return tg.cuda.compile_kernel(SOURCE, name, checked=True)


def line_of(text):
    return 1 + SOURCE[: SOURCE.index(text)].count("\n")


def test_a_race_names_both_lines_of_the_source_and_an_unchecked_kernel_says_nothing():
    x, y = np.arange(64, dtype=np.int32), np.zeros(64, np.int32)
    tg.cuda.compile_kernel(SOURCE, "reverse")(1, 64, (y, x))
    read, write = line_of("y[threadIdx.x] = copy"), line_of("copy[threadIdx.x] =")
    assert (write, read) == (4, 5)  # the first line of SOURCE is empty
    with pytest.raises(RuntimeError) as error:
        checked("reverse")(1, 64, (y, x))
    assert str(error.value) == (
        "reverse: CUDA: race in shared memory: in block (0, 0, 0) thread (31, 0, 0) reads copy "
        "(bytes 128 to 131 of 256) at kernel.cu:5 and thread (32, 0, 0) writes it at kernel.cu:4, "
        "with no barrier between; put __syncthreads() between kernel.cu:4 and kernel.cu:5\n"
        "uninitialised: thread (0, 0, 0) of block (0, 0, 0) reads copy (bytes 252 to 255 of 256) "
        "at kernel.cu:5, which no thread of its block has written; write it first, with "
        "__syncthreads() between"
    )


def test_a_missing_guard_and_a_wrong_index_end_the_launch_and_the_next_one_works():
    twice, x = checked("twice"), np.ones(40, np.float32)
    with pytest.raises(RuntimeError) as error:
        twice(2, 32, (x,))
    assert str(error.value) == (
        "twice: CUDA: out of bounds: thread (8, 0, 0) of block (1, 0, 0) reads 4 bytes at "
        f"kernel.cu:{line_of('x[i] *= 2')}, just behind the end of argument 0, which is 160 bytes "
        "long; compare the index with the size before using it"
    )
    assert x.tolist() == [2] * 40  # what was written before
    twice(1, 40, (x,))
    assert x.tolist() == [4] * 40
    text = f"index 5 of an array 'int \\[4\\]' at kernel.cu:{line_of('y[0] = table')};"
    with pytest.raises(RuntimeError, match=text):
        checked("outside")(1, 1, (np.array([0, 5], np.int32),))


def test_counts_say_what_each_line_did_to_memory():
    transpose = checked("transpose")
    x, y = tg.arange(1024.0).reshape(32, 32), tg.zeros(32, 32)
    transpose(1, (32, 32), (y, x))
    assert y.tolist() == x.t().tolist()
    counts = transpose.counts
    fill, turn = counts.lines
    assert fill == (f"kernel.cu:{line_of('tile[threadIdx.y]')}",
                    64, 32, 4096, 4096, 128, 128, 32, 32, 1, 0, 0, 0)  # fmt: skip
    assert turn == counts.line(line_of("tile[threadIdx.x][threadIdx.y]"))
    assert (turn.bank_passes, turn.ideal_bank_passes, turn.most_bank_passes) == (1024, 32, 32)
    assert counts[:6] == ((1, 1, 1), (32, 32, 1), 8192, 8192, 256, 0) and not counts.cut
    assert str(counts) == counts.text == repr(counts)
    assert counts.text == (
        "launch: grid (1, 1, 1), block (32, 32, 1), 8192 bytes read, 8192 written\n"
        "line          warps  lanes  read  written      sectors  bank passes  atomic passes\n"
        "kernel.cu:15     64   32.0  4096     4096  128 for 128    32 for 32              -\n"
        "kernel.cu:17     64   32.0  4096     4096  128 for 128  1024 for 32              -\n"
    )
    with pytest.raises(KeyError, match="line 16 of the kernel did nothing that is counted"):
        counts.line(16)


def test_counted_numbers_give_an_arithmetic_intensity():
    x = np.arange(64, dtype=np.float32)
    plain, counted = x.copy(), x.copy()
    tg.cuda.compile_kernel(SOURCE, "polynomial<float>")(1, 64, (plain, 0.5))
    kernel = tg.cuda.compile_kernel(SOURCE, "polynomial<simt::counted_float>", checked=True)
    kernel(1, 64, (counted, 0.5))
    assert counted.tolist() == plain.tolist()
    counts = kernel.counts
    assert counts.line(line_of("y = y * t + 1")).operations == 64 * 3 * 2
    assert counts.operations == 64 * (3 * 2 + 1)
    assert counts.sectors == 2 * 64 * 4 // 32
    assert counts.intensity == 64 * 7 / (2 * 64 * 4)
    assert "\n448 operations, 0.875 for each byte of the 16 sectors\n" in counts.text


def test_a_notebook_draws_the_launch():
    transpose = tg.cuda.compile_kernel(SOURCE.replace("tile", "a_tile"), "transpose", checked=True)
    assert transpose._repr_html_() is None  # nothing to draw yet
    transpose(1, (32, 32), (np.zeros(1024, np.float32), np.zeros(1024, np.float32)))
    picture = ElementTree.fromstring(transpose.svg())
    labels = [t.text for t in picture.iter("{http://www.w3.org/2000/svg}text") if ":" in t.text]
    assert labels[1:] == [
        "kernel.cu:15 reads argument 1: 32 lanes, 4 sectors for 4",
        "kernel.cu:15 writes a_tile: 32 lanes, 1 bank pass for 1",
        "kernel.cu:17 reads a_tile: 32 lanes, 32 bank passes for 1",
        "kernel.cu:17 writes argument 0: 32 lanes, 4 sectors for 4",
    ]
    assert transpose._repr_html_() == f"<pre>{transpose.counts.text}</pre>{transpose.svg()}"
    assert tg.cuda.compile_kernel(SOURCE, "twice")._repr_html_() is None


def test_warps_are_instructions_of_warps():
    loop = checked("sum_of_columns")
    loop(1, 32, (np.zeros(32, np.float32), np.ones((32, 32), np.float32)))
    assert loop.counts.line(line_of("sum += x[r * 32")).warps == 32
    twice = checked("twice")
    twice(1, 64, (np.ones(64, np.float32),))  # two warps, which read and write
    assert twice.counts.line(line_of("x[i] *= 2")).warps == 4


def test_counts_are_of_the_latest_launch_also_of_one_that_failed():
    bins, y = checked("bins"), np.zeros(4, np.int32)
    bins(1, 32, (y, np.arange(32, dtype=np.int32) % 2))
    (line,) = bins.counts.lines
    assert (line.warps, line.atomics, line.atomic_passes) == (2, 1, 16)
    bins(1, 32, (y, np.arange(32, dtype=np.int32) % 4))
    assert bins.counts.lines[0].atomic_passes == 8
    with pytest.raises(RuntimeError, match="out of bounds"):
        bins(1, 32, (y, np.full(32, 4, np.int32)))
    assert bins.counts.bytes_written == 0
    assert y.tolist() == [24, 24, 8, 8]


def test_writers_that_agree_are_a_note():
    kernel, y = checked("all_say_7"), np.zeros(1, np.int32)
    kernel(1, 2, (y,))
    assert len(kernel.notes) == 1
    assert kernel.notes[0].startswith("same-value race in global memory: in block (0, 0, 0)")
    kernel(1, 1, (y,))
    assert kernel.notes == []


def test_launches_from_several_threads_keep_their_errors_apart():
    twice, said = checked("twice"), {}

    def launch(n):
        try:
            twice(1, 32, (np.ones(n, np.float32),))
            said[n] = "fine"
        except RuntimeError as error:
            said[n] = str(error)

    threads = [threading.Thread(target=launch, args=(n,)) for n in (16, 24, 32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "which is 64 bytes long" in said[16] and "which is 96 bytes long" in said[24]
    assert said[32] == "fine"


def test_what_is_asked_too_early_or_of_an_unchecked_kernel_is_an_error(monkeypatch):
    kernel = checked("twice")
    assert repr(kernel) == "<CUDA kernel twice, 1 arguments, emulated and checked>"
    with pytest.raises(RuntimeError, match="^twice: counts: launch the kernel first$"):
        _ = kernel.counts
    unchecked = tg.cuda.compile_kernel(SOURCE, "twice")
    with pytest.raises(RuntimeError, match="^twice: notes: compile the kernel with checked=True$"):
        _ = unchecked.notes


def test_without_gcc_the_error_says_so(monkeypatch):
    monkeypatch.setattr(cuda_build, "is_gcc", lambda path: False)
    with pytest.raises(RuntimeError, match="checked=True needs g\\+\\+, and there is none"):
        checked("twice")
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NotImplementedError, match="checked=True is for Linux, not darwin"):
        checked("twice")


@pytest.mark.skipif(shutil.which("clang++") is None, reason="no clang++")
def test_clang_under_another_name_is_known(tmp_path, monkeypatch):
    (tmp_path / "g++").symlink_to(shutil.which("clang++"))
    assert not cuda_build.is_gcc(str(tmp_path / "g++"))
    monkeypatch.setenv("CXX", "clang++")
    assert cuda_build.compiler().endswith("clang++")
    assert cuda_build.checking_compiler().endswith("g++")
    assert not cuda_build.checking_compiler().endswith("clang++")


RIGHT = """
__global__ void last_block(int* x) {
    __shared__ bool is_last;
    __shared__ char letters[3];
    if (threadIdx.x == 0) is_last = x[0] == 0;
    if (threadIdx.x < 3) letters[threadIdx.x] = char(threadIdx.x);
    __syncthreads();
    if (is_last) x[threadIdx.x + 1] = letters[threadIdx.x % 3];
}

struct Best { int place; double value; };
__global__ void best(int* x) {
    __shared__ Best all[8];
    all[threadIdx.x].place = int(threadIdx.x);
    all[threadIdx.x].value = 1.0 / (1 + threadIdx.x);
    __syncthreads();
    Best other = all[7 - threadIdx.x];
    x[threadIdx.x] = other.place + (other.value > 0.5);
}

struct Pair { char a; int b; };
__global__ void pairs(int* x) {
    __shared__ Pair all[8];
    all[threadIdx.x] = Pair{1, 2};
    __syncthreads();
    Pair other = all[7 - threadIdx.x];
    x[threadIdx.x] = other.a + other.b;
}
"""


@pytest.mark.parametrize("name", ["last_block", "best", "pairs"])
def test_small_shared_variables_and_structs_with_gaps_are_no_errors(name):
    kernel = tg.cuda.compile_kernel(RIGHT, name, checked=True)
    x = np.zeros(16, np.int32)
    kernel(1, 8, (x,))
    expected = {
        "last_block": [0, 0, 1, 2, 0, 1, 2, 0, 1],
        "best": [7, 6, 5, 4, 3, 2, 1, 1],
        "pairs": [3] * 8,
    }[name]
    assert x[: len(expected)].tolist() == expected


def test_a_loop_that_waits_for_ever_is_named_with_its_line(monkeypatch):
    monkeypatch.setenv("SIMT_TIME_LIMIT", "1")
    source = "__global__ void spin(int* x) {\n    while (atomicAdd(x, 0) == 0) {\n    }\n}\n"
    kernel = tg.cuda.compile_kernel(source, "spin", checked=True)
    with pytest.raises(
        RuntimeError, match=r"thread \([01], 0, 0\) was running at kernel.cu:2, and"
    ):
        kernel(1, 2, (np.zeros(1, np.int32),))


OUTSIDE = """
__device__ float table[32];
__device__ void put(float* array, int i) { array[i] = 1; }
__global__ void outside(float* y, int of_tile, int of_table) {
    __shared__ float tile[32];
    __shared__ float other[32];
    put(other, 0);
    put(tile, of_tile);
    put(table, of_table);
    y[0] = 1;
}
"""


@pytest.mark.parametrize(
    ("of_tile", "of_table", "text"),
    [
        (32, 0, "just behind the end of tile, which is 128 bytes long"),
        (-1, 0, "4 bytes before the start of tile"),
        (64, 0, "128 bytes behind the end of tile"),
        (0, 32, "just behind the end of table, which is 128 bytes long"),
        (0, -1, "out of bounds|host memory"),
        (0, 1 << 20, "out of bounds|host memory"),
    ],
)
def test_a_pointer_into_an_array_of_the_kernel_ends_where_it_does(of_tile, of_table, text):
    outside = tg.cuda.compile_kernel(OUTSIDE, "outside", checked=True)
    y = np.zeros(1, np.float32)
    outside(1, 1, (y, 31, 31))
    with pytest.raises(RuntimeError, match=text):
        outside(1, 1, (y, of_tile, of_table))
    outside(1, 1, (y, 0, 0))
    assert y[0] == 1
