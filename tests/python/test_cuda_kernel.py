"""Kernels of one's own: tg.cuda.compile_kernel."""

import os
import shutil
import signal
import threading
import time

import numpy as np
import pytest
import tapegraph as tg

SOURCE = """
__global__ void scale(float* x, float factor, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] *= factor;
}

template <class T>
__global__ void reverse(T* y, const T* x) {
    __shared__ T copy[64];
    copy[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = copy[blockDim.x - 1 - threadIdx.x];
}

__global__ void sums(double* out, const double* x) {
    DYNAMIC_SHARED(double, tile);
    tile[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
    __syncthreads();
    if (threadIdx.x > 0) return;
    for (int i = 0; i < int(blockDim.x); ++i) out[blockIdx.x] += tile[i];
}

__global__ void divergent(int* x) {
    if (threadIdx.x < 3) __syncthreads();
    x[0] = 1;
}

__global__ void long_one(int* x) {
    for (int i = 0; i < 100000; ++i) x[0] += 1;
}

struct Pair { int a, b; };
__global__ void of_pairs(Pair* x) {}
"""

pytestmark = pytest.mark.skipif(
    not any(shutil.which(name) for name in ("g++", "clang++", "c++")), reason="no C++ compiler"
)


@pytest.fixture(scope="module")
def scale():
    return tg.cuda.compile_kernel(SOURCE, "scale")


def test_arrays_and_tensors_are_changed_where_they_are(scale):
    for x in (np.arange(40, dtype=np.float32), tg.arange(40.0), tg.arange(40.0, device="cuda")):
        assert scale(grid=2, block=32, args=(x, 2.0, 39)) is None
        assert x.tolist() == [*range(0, 78, 2), 39]
    assert repr(scale) == "<CUDA kernel scale, 3 arguments, emulated>"


def test_a_write_is_one_that_the_tape_sees(scale):
    w = tg.ones(2, requires_grad=True)
    x = tg.ones(2)
    loss = (w * x).sum()
    scale(1, 2, (x, 3, 2))
    with pytest.raises(RuntimeError, match="changed it in place"):
        loss.backward()


def test_an_instance_of_a_template_has_its_dtype_and_one_array_may_be_two_arguments():
    reverse = tg.cuda.compile_kernel(SOURCE, "reverse<long>")
    x, y = np.arange(8), np.zeros(8, np.int64)
    x.flags.writeable = False  # the kernel only reads it
    reverse(1, 8, (y, x))
    assert y.tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    reverse(1, 8, (y, y))
    assert y.tolist() == list(range(8))


def test_grids_have_three_dims_and_shared_memory_is_asked_for():
    sums = tg.cuda.compile_kernel(SOURCE, "sums")
    x, out = np.arange(12.0), np.zeros(3)
    sums(grid=(3, 1, 1), block=(4,), args=(out, x), shared_mem=32)
    assert out.tolist() == [6, 22, 38]


def test_shared_memory_is_declared_as_in_cuda_and_may_be_more():
    source = """
    template <class T>
    __global__ void keep(T* x) {
        extern __shared__ __align__(16) unsigned char bytes[];
        T* last = reinterpret_cast<T*>(bytes) + 12500;
        *last = x[0] + 1;
        x[0] = *last;
    }
    """
    keep = tg.cuda.compile_kernel(source, "keep<float>")
    x = np.zeros(1, np.float32)
    with pytest.raises(
        RuntimeError, match="at most 49152; set_shared_memory_config\\(\\) raises it"
    ):
        keep(1, 1, (x,), 50004)
    keep.set_shared_memory_config(50004)
    keep(1, 1, (x,), 50004)
    assert x[0] == 1
    for wrong in (-1, 1.5, "a", 1 << 20):
        with pytest.raises(ValueError, match="bytes"):
            keep.set_shared_memory_config(wrong)
    for outside in ("extern __shared__ int a[]", "__shared__ int a[4]", "static __shared__ bool a"):
        with pytest.raises(
            RuntimeError, match=r"kernel.cu:3: declare .*__shared__ .* in the kernel"
        ):
            tg.cuda.compile_kernel(f"// {{\n\n{outside};\n__global__ void f() {{}}", "f")


@pytest.mark.parametrize("linkage", ["", 'extern "C"'])
def test_the_checks_count_the_arrays_that_a_kernel_declares_shared(linkage):
    source = f"""
    {linkage} __global__ void big(float* x) {{
        __shared__ float tile[128][128];
        tile[0][threadIdx.x] = x[threadIdx.x];
    }}
    """
    with pytest.raises(
        RuntimeError,
        match="65536 bytes of __shared__ arrays, but a kernel declares at most 49152; .*"
        "extern __shared__, and set_shared_memory_config",
    ):
        tg.cuda.compile_kernel(source, "big", checked=True)(1, 4, (np.zeros(4, np.float32),))


def test_static_before_shared_changes_nothing():
    source = """
    // __shared__ memory is the block's
    __global__ void turn(int* x) {
        static __shared__ int copy[4];
        copy[threadIdx.x] = x[threadIdx.x];
        __syncthreads();
        x[threadIdx.x] = copy[3 - threadIdx.x];
    }
    """
    x = np.arange(4, dtype=np.int32)
    tg.cuda.compile_kernel(source, "turn", checked=True)(1, 4, (x,))
    assert x.tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "\n// <<<\nk<<<1, 2>>>(x);",
            r"f does not compile: kernel.cu:3: launch the kernel from Py",
        ),
        ("cudaMalloc(&x, 4);", "f does not compile: kernel.cu:1: cudaMalloc is the host's"),
        ("if (*x) { *x = 1;", "kernel.cu:1:.*expected"),
        ("if (*x) exit(3);", "it is the host's; a kernel returns, or fails with __trap"),
        ("throw 5;", "kernel.cu:1:.*(exception handling disabled|exceptions disabled)"),
    ],
)
def test_what_no_kernel_can_say_does_not_compile(body, text):
    with pytest.raises(RuntimeError, match=text):
        tg.cuda.compile_kernel(f"__global__ void f(int* x) {{ {body} }}", "f")


def test_a_kernel_returns_void():
    with pytest.raises(RuntimeError, match="compile: a __global__ function returns void; [^\n]*$"):
        tg.cuda.compile_kernel("__global__ int f(int* x) { return x[0]; }", "f")


def test_the_headers_of_cudas_runtime_may_be_included():
    source = """#include <cuda_runtime.h>  // for nvcc
    #include "device_launch_parameters.h"
    # include <cuda.h>
    #include <cooperative_groups.h>
    __global__ void f(int* x) {
        cooperative_groups::thread_block_tile<32> tile =
            cooperative_groups::tiled_partition<32>(cooperative_groups::this_thread_block());
        x[0] = tile.size();
        LAST
    }"""
    x = np.zeros(1, np.int32)
    tg.cuda.compile_kernel(source.replace("LAST", ""), "f")(args=(x,))
    assert x[0] == 32
    with pytest.raises(RuntimeError, match=r"f does not compile:\n(.*\n)*kernel.cu:9:"):
        tg.cuda.compile_kernel(source.replace("LAST", "nothing;"), "f")
    with pytest.raises(ValueError, match="no __global__ function g; it has f"):
        tg.cuda.compile_kernel("#include <cuda_runtime.h>\n__global__ void f() {}", "g")


def test_pointers_to_vectors_take_arrays_of_their_numbers():
    source = """
    struct Uneven { float x; int y; };
    __global__ void add(float4* x, const int2* y, const uchar3* z) {
        x[threadIdx.x].w += y[threadIdx.x].y + z[threadIdx.x].z;
    }
    __global__ void of_uneven(Uneven* x) {}
    __global__ void of_one(float4 x) {}
    """
    add = tg.cuda.compile_kernel(source, "add")
    x, y, z = tg.zeros(2, 4), np.arange(4, dtype=np.int32), np.arange(6, dtype=np.uint8)
    add(1, 2, (x, y, z))
    assert x.tolist() == [[0, 0, 0, 3], [0, 0, 0, 8]]
    with pytest.raises(ValueError, match="argument 0 is 4 float32 at a time, and the array's 6 "):
        add(1, 1, (tg.zeros(6), y, z))
    with pytest.raises(ValueError, match="argument 2 is 3 uint8 at a time.* no multiple of 3"):
        add(1, 1, (x, y, z[:4]))
    with pytest.raises(TypeError, match="argument 1 is an array of int32, not an array of int64"):
        add(1, 1, (x, y.astype(np.int64), z))
    for name in ("of_uneven", "of_one"):
        with pytest.raises(TypeError, match="neither a number nor a pointer to numbers"):
            tg.cuda.compile_kernel(source, name)


def test_a_bool_is_given_as_one():
    source = "__global__ void f(int* x, bool yes, bool* all) { x[0] = yes ? 7 : 3; all[0] = yes; }"
    f = tg.cuda.compile_kernel(source, "f")
    x, all = np.zeros(1, np.int32), np.zeros(1, bool)
    for yes in (True, False, np.True_, np.False_, 1, 0, np.int64(1)):
        f(args=(x, yes, all))
        assert (x[0], all[0]) == ((7, True) if yes else (3, False))
    for wrong in (2, -1, np.int8(3)):
        with pytest.raises(ValueError, match=f"f: argument 1 is True or False, not {wrong}"):
            f(args=(x, wrong, all))
    for wrong in (1.0, "yes", None):
        with pytest.raises(TypeError, match="f: argument 1 is True or False, not (float|str|None)"):
            f(args=(x, wrong, all))


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"grid": None}, TypeError, "grid is one to three ints, not None"),
        ({"grid": True}, TypeError, "grid is one to three ints, not True"),
        ({"grid": 1 << 32}, ValueError, "4294967296 is not from 1 to 4294967295"),
        ({"block": (32, 0)}, ValueError, "0 is not from 1 to 4294967295"),
        ({"block": "32"}, TypeError, "block is one to three ints, not '32'"),
        ({"args": None}, TypeError, "args is a list or tuple of arguments, not NoneType"),
        ({"shared_mem": 1 << 64}, ValueError, "shared_mem is a number of bytes, not 18446"),
        ({"shared_mem": 1 << 40}, RuntimeError, "shared memory"),
    ],
)
def test_a_launch_that_cannot_be_says_what_it_needs(scale, given, error, text):
    x = np.ones(4, np.float32)
    with pytest.raises(error, match=text):
        scale(**{"grid": 1, "block": 32, "args": (x, 2.0, 4), **given})


def test_a_tensor_with_gaps_is_refused_on_each_device(scale):
    for device in ("cpu", "cuda"):
        x = tg.zeros(8, device=device)
        for view in (x[::2], x.reshape(2, 4).t(), x[:1].expand(4)):
            with pytest.raises(ValueError, match=r"argument 0 is not contiguous; give its .cont"):
                scale(1, 4, (view, 2.0, 4))


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ("__global__ void __launch_bounds__(64) f(float* x) {}", "it has f"),
        ("template <class T>\n__global__ void f(T x) {}\n__global__ void h() {}", "it has f, h"),
        ("void g(float* x) {}  // __global__ void g(float* x)", "it has none"),
    ],
)
def test_a_name_that_no_kernel_has_is_said_with_those_that_there_are(source, known):
    with pytest.raises(ValueError, match=f"has no __global__ function g; {known}"):
        tg.cuda.compile_kernel(source, "g")


@pytest.mark.parametrize("start", ["[]() -> int { __builtin_trap(); }()", "*(volatile int*)8"])
def test_a_variable_whose_start_fails_is_an_error_each_time(start):
    source = f"static int start = {start};\n__global__ void f() {{}}\n"
    for _ in range(2):
        with pytest.raises(RuntimeError, match="to load f would end the process"):
            tg.cuda.compile_kernel(source, "f")


def test_a_number_too_large_for_the_parameter_is_an_error(scale):
    for number in (1e300, 10**400):
        with pytest.raises(OverflowError, match="argument 1: .* is no float32"):
            scale(args=(np.ones(4, np.float32), number, 4))


def test_what_does_not_fit_is_an_error(scale):
    x = tg.ones(4)
    cases = [
        ((1, 1, (x,)), TypeError, "scale: has 3 parameters, and 1 arguments were given"),
        ((1, 1, (x.double(), 1, 2)), TypeError, "argument 0 is an array of float32, not .*float64"),
        ((1, 1, (3.0, 1, 2)), TypeError, "argument 0 is an array of float32, not float"),
        ((1, 1, (x, 1, 2.5)), TypeError, "argument 2 is a number, int32, not float"),
        ((1, 1, (x, 1, 1 << 40)), OverflowError, "argument 2: 1099511627776 is no int32"),
        ((1, 1, (x[::2], 1, 2)), ValueError, "argument 0 is not contiguous; give its .contig"),
        ((1, 1, (x.clone().requires_grad_(), 1, 2)), RuntimeError, "give its .detach"),
        ((0, 1, (x, 1, 2)), ValueError, r"grid is \(0,\), and 0 is not from 1 to"),
        (("a", 1, (x, 1, 2)), TypeError, "grid is one to three ints"),
        ((1, 2048, (x, 1, 2)), RuntimeError, r"CUDA: launch: block \(2048, 1, 1\) exceeds"),
        ((1, 1, (x, 1, 2), -1), ValueError, "shared_mem is a number of bytes, not -1"),
        ((1, 1, (x, 1, 2), 1 << 20), RuntimeError, "1048576 bytes of dynamic shared memory, but"),
    ]
    for given, error, text in cases:
        with pytest.raises(error, match=text):
            scale(*given)
    assert x.tolist() == [1, 1, 1, 1]
    scale(1, 4, (x, 5, 4))
    assert x.tolist() == [5, 5, 5, 5]


def test_a_failed_launch_names_the_line_of_the_source():
    line = 1 + SOURCE[: SOURCE.index("if (threadIdx.x < 3)")].count("\n")
    with pytest.raises(RuntimeError, match=f"divergent: CUDA: __syncthreads: .*kernel.cu:{line}"):
        tg.cuda.compile_kernel(SOURCE, "divergent")(1, 8, (np.zeros(1, np.int32),))


def test_what_would_end_the_process_ends_the_launch():
    source = """#include <cstdlib>
    __global__ void divide(int* x) { x[0] = 7 / x[1]; }
    __global__ void give_up(int* x) { if (x[0] != 1) std::abort(); }
    __global__ void far(int* x) { x[1ll << 40] = 1; }
    __global__ void null(int* x) { *reinterpret_cast<int*>(long(x[0])) = 1; }
    __global__ void large(int* x) { int a[100000]; a[x[0]] = 1; x[1] = a[x[1]]; }"""
    x = np.zeros(2, np.int32)
    for name, said in (
        ("divide", "divided an integer by zero"),
        ("give_up", "called abort\\(\\)"),
        ("far", "touched memory that is not there.*; the checks say at which line"),
        ("null", "touched memory through a null pointer"),
        ("large", "has more on its stack than fits, 256 KiB"),
    ):
        with pytest.raises(RuntimeError, match=rf"{name}: CUDA: launch: thread .* {said}"):
            tg.cuda.compile_kernel(source, name)(args=(x,))


@pytest.mark.parametrize("header", ["<cassert>", "<assert.h>"])
def test_a_false_assert_says_what_does_not_hold_and_where(header):
    source = f"""
    #include {header}
    __global__ void f(int* x) {{
        assert(x[0] == 1);
    }}
    #define NDEBUG
    #include {header}
    __global__ void g(int* x) {{ assert(x[0] == 1); }}"""
    text = r"f: CUDA: assert\(x\[0\] == 1\) at kernel.cu:4 in f does not hold in thread \(0, 0, 0\)"
    with pytest.raises(RuntimeError, match=text):
        tg.cuda.compile_kernel(source, "f")(args=(np.zeros(1, np.int32),))
    tg.cuda.compile_kernel(source, "g")(args=(np.zeros(1, np.int32),))


def test_arguments_that_share_memory_share_it_on_the_device():
    source = """
    __global__ void add(const float* a, const float* b, float* y) {
        y[threadIdx.x] = a[threadIdx.x] + b[threadIdx.x];
    }
    __global__ void two(float* a, float* b) { a[threadIdx.x] = 7; b[threadIdx.x] += 1; }"""
    add, two = (tg.cuda.compile_kernel(source, name) for name in ("add", "two"))
    for n in (4, 32, 300):
        a, b, y = (tg.full((n,), value, device="cuda") for value in (1.0, 10.0, 0.0))
        add(1, n, (a, b, y))
        assert set(y.tolist()) == {11.0}
        add(1, n, (a, y, y))
        assert set(y.tolist()) == {12.0}
    for make in (lambda n: np.zeros(n, np.float32), tg.zeros, lambda n: tg.zeros(n, device="cuda")):
        x = make(10)
        two(1, 10, (x, x))
        assert x.tolist() == [8.0] * 10
        x = make(15)
        two(1, 5, (x[:5], x[10:]))
        assert x.tolist() == [7.0] * 5 + [0.0] * 5 + [1.0] * 5
    x = np.zeros(15, np.float32)
    two(1, 10, (x[:10], x[5:]))
    assert x.tolist() == [7.0] * 10 + [1.0] * 5


def test_what_does_not_compile_is_an_error_in_the_compilers_words():
    with pytest.raises(RuntimeError, match=r"f does not compile:\n(.*\n)*kernel.cu:2.*error"):
        tg.cuda.compile_kernel("\n__global__ void f(int* x) { x[0] = y; }", "f")
    with pytest.raises(ValueError, match="no __global__ function no_such; it has scale, reverse"):
        tg.cuda.compile_kernel(SOURCE, "no_such")
    with pytest.raises(TypeError, match="of_pairs's parameter 0 is neither a number nor a pointer"):
        tg.cuda.compile_kernel(SOURCE, "of_pairs")
    with pytest.raises(ValueError, match="names no function"):
        tg.cuda.compile_kernel(SOURCE, "scale); int x(")
    with pytest.raises(TypeError, match="the source and the name are strings"):
        tg.cuda.compile_kernel(SOURCE, None)


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="no C\\+\\+ compiler; install g\\+\\+ or clang"):
        tg.cuda.compile_kernel(SOURCE, "scale")


def test_ctrl_c_ends_a_long_launch():
    kernel = tg.cuda.compile_kernel(SOURCE, "long_one")
    x = np.zeros(1, np.int32)
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begin = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        kernel(1 << 30, 1, (x,))
    assert time.perf_counter() - begin < 30  # all of it would take a day
    kernel(1, 1, (x,))
    assert x[0] == 100000


@pytest.mark.parametrize("checked", [False, True])
def test_ctrl_c_ends_a_loop_that_has_no_end(checked):
    source = "__global__ void spin(volatile int* x) { while (x[0] == 0) {} x[0] += 1; }"
    kernel = tg.cuda.compile_kernel(source, "spin", checked=checked)
    x = np.zeros(1, np.int32)
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        kernel(1, 1, (x,))
    x[0] = 1
    kernel(1, 1, (x,))
    assert x[0] == 2
