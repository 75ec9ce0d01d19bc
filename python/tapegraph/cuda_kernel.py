"""What tg.cuda.compile_kernel makes: a CUDA kernel of one's own, from its source.

The machine's C++ compiler makes a small library of the source, of the emulator (the folder simt)
and of the few lines below that pass arguments on; ctypes calls it. Each library has an emulator of
its own, so arrays are copied there before a launch, and back after it where the kernel may write.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _C
from .autograd import no_grad

SIMT = Path(__file__).with_name("simt")
FLAGS = ["-std=c++20", "-g", "-gdwarf-4", "-fPIC", "-ffp-contract=off", "-pthread"]
# Two libraries may hold kernels of one name: neither sees the other's.
FLAGS += ["-fvisibility=hidden", *(["-Wl,-Bsymbolic"] if sys.platform == "linux" else [])]

GLUE = r"""
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "simt.h"
#include "kernel.cu"

namespace {

template <class T>
std::string name_of() {
    if constexpr (std::is_same_v<T, bool>) return "bool";
    else if constexpr (std::is_same_v<T, float>) return "float32";
    else if constexpr (std::is_same_v<T, double>) return "float64";
    else if constexpr (std::is_integral_v<T>)
        return (std::is_signed_v<T> ? "int" : "uint") + std::to_string(8 * sizeof(T));
    else return "?";
}

// "float32", "float32*" or, where the kernel only reads, "float32 const*".
template <class T>
std::string word() {
    if constexpr (!std::is_pointer_v<T>) return name_of<T>();
    else {
        using Element = std::remove_pointer_t<T>;
        return name_of<std::remove_cv_t<Element>>() + (std::is_const_v<Element> ? " const*" : "*");
    }
}

template <class... P>
std::string words(void (*)(P...)) {
    std::string all;
    ((all += word<std::remove_cv_t<P>>() + ","), ...);
    return all;
}

template <class... P, std::size_t... I>
void go(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t shared, void** given,
        std::index_sequence<I...>) {
    simt::launch(kernel, grid, block, shared,
                 *static_cast<std::remove_cv_t<P>*>(given[I])...);
}

template <class... P>
void call(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t shared, void** given) {
    go(kernel, grid, block, shared, given, std::index_sequence_for<P...>{});
}

volatile bool stop = false;
bool asked_to_stop() { return stop; }

}  // namespace

#pragma GCC visibility push(default)
extern "C" {
const char* tg_types() {
    static const std::string all = words(KERNEL);
    return all.c_str();
}
const char* tg_launch(const unsigned* n, std::size_t shared, void** given) {
    simt::stop_when(asked_to_stop);
    call(KERNEL, {n[0], n[1], n[2]}, {n[3], n[4], n[5]}, shared, given);
    std::fflush(stdout);
    return simt::last_error();
}
void tg_stop(int now) { stop = now != 0; }
void* tg_allocate(std::size_t bytes) { return simt::allocate(bytes); }
void tg_release(void* memory) { simt::release(memory); }
void tg_to_device(void* to, const void* from, std::size_t n) { simt::copy_to_device(to, from, n); }
void tg_to_host(void* to, const void* from, std::size_t n) { simt::copy_to_host(to, from, n); }
}
#pragma GCC visibility pop
"""


# ---- from source to a library --------------------------------------------------------------------
def compiler() -> str:
    names = [os.environ.get("CXX", ""), "g++", "clang++", "c++"]
    for name in filter(None, names):
        if found := shutil.which(name):
            return found
    raise RuntimeError(
        "compile_kernel: there is no C++ compiler; install g++ or clang++, or set CXX to one"
    )


def cache() -> Path:
    """Where libraries stay for the next time: the user's own folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base) / "tapegraph" / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="tapegraph"))
    return folder


def folder_of(*parts: Any) -> Path:
    """A folder of the cache that only these parts have."""
    folder = cache() / hashlib.sha256(repr(parts).encode()).hexdigest()[:24]
    folder.mkdir(exist_ok=True)
    return folder


def compiled(arguments: list[str], target: Path) -> str:
    """Runs the compiler; the target is there at the end whole, or not at all. Returns its words."""
    fresh = target.with_name(f"{os.getpid()}.{threading.get_ident()}.{target.name}")
    command = [compiler(), *FLAGS, *arguments, "-o", str(fresh)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        return run.stderr or f"{command[0]} ended with {run.returncode}"
    fresh.replace(target)
    return ""


def emulator() -> tuple[str, list[Path]]:
    """What names the emulator's present sources, and their objects, compiled if they are not there.

    It takes some seconds, the first time."""
    files = sorted([*SIMT.glob("*.cc"), *SIMT.glob("*.h")])
    key = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    folder = folder_of(compiler(), FLAGS, key)
    objects = []
    for source in (file for file in files if file.suffix == ".cc"):
        objects.append(folder / f"{source.stem}.o")
        if not objects[-1].exists():
            said = compiled(["-O2", "-c", str(source)], objects[-1])
            if said:
                raise RuntimeError(f"compile_kernel: the emulator does not compile:\n{said}")
    return key, objects


def built(source: str, name: str) -> Path:
    """The library of a kernel; compiled if it is not there from before."""
    key, objects = emulator()
    folder = folder_of(compiler(), FLAGS, key, GLUE, source, name)
    library = folder / "kernel.so"
    if library.exists():
        return library
    (folder / "kernel.cu").write_text(source)
    glue = folder / "glue.cc"
    glue.write_text(GLUE.replace("KERNEL", name))
    include = ["-I", str(SIMT), "-I", str(folder)]
    said = compiled(["-O1", "-shared", *include, str(glue), *map(str, objects)], library)
    if said:
        said = essential(said.replace(f"{folder}{os.sep}", ""))
        raise RuntimeError(f"compile_kernel: {name} does not compile:\n{said}")
    return library


def essential(said: str) -> str:
    """A compiler's words, at most 40 lines; the source is kernel.cu in them."""
    return "\n".join(said.splitlines()[:40])


# ---- from arguments to a launch ------------------------------------------------------------------
class Argument:
    """What a kernel gets for one of its parameters, `word` as in "float32 const*"."""

    def __init__(self, index: int, word: str) -> None:
        self.index = index
        self.dtype, _, star = word.partition("*" if "const" not in word else " const*")
        self.pointer = "*" in word
        self.writes = self.pointer and "const" not in word

    def wrong(self, kernel: str, wanted: str, given: Any) -> TypeError:
        what = getattr(given, "dtype", None)
        said = f"an array of {what}" if what is not None else type(given).__name__
        return TypeError(f"{kernel}: argument {self.index} is {wanted}, not {said}")

    def array(self, kernel: str, given: Any) -> np.ndarray:
        """The bytes on the CPU: the array's own, or a copy of a tensor on another device."""
        if isinstance(given, _C.Tensor):
            if given.requires_grad and self.writes:
                raise RuntimeError(
                    f"{kernel}: argument {self.index} requires a gradient, and the kernel may "
                    "write to it; give its .detach()"
                )
            host = given.detach().cpu()
            if not host.is_contiguous():
                raise ValueError(
                    f"{kernel}: argument {self.index} is not contiguous; give its .contiguous()"
                )
            given = host.numpy()
        if not isinstance(given, np.ndarray):
            raise self.wrong(kernel, f"an array of {self.dtype}", given)
        if given.dtype != np.dtype(self.dtype):
            raise self.wrong(kernel, f"an array of {self.dtype}", given)
        if not given.flags.c_contiguous:
            raise ValueError(
                f"{kernel}: argument {self.index} is not contiguous; give numpy.ascontiguousarray "
                "of it"
            )
        if self.writes and not given.flags.writeable:
            raise ValueError(f"{kernel}: argument {self.index} is read-only, and the kernel writes")
        return given

    def number(self, kernel: str, given: Any) -> np.ndarray:
        kind = np.dtype(self.dtype)
        ok = isinstance(given, (int, np.integer, np.bool_)) or (
            kind.kind == "f" and isinstance(given, (float, np.floating))
        )
        if not ok:
            raise self.wrong(kernel, f"a number, {self.dtype}", given)
        if kind.kind in "iu" and not np.iinfo(kind).min <= int(given) <= np.iinfo(kind).max:
            raise OverflowError(f"{kernel}: argument {self.index}: {given} is no {self.dtype}")
        return np.array(given, kind)


def sizes(kernel: str, what: str, given: int | Sequence[int]) -> list[int]:
    """1, 2 or 3 numbers as x, y and z."""
    numbers = [given] if isinstance(given, (int, np.integer)) else list(given)
    if not 1 <= len(numbers) <= 3 or not all(isinstance(n, (int, np.integer)) for n in numbers):
        raise TypeError(f"{kernel}: {what} is one to three ints, not {given!r}")
    for n in numbers:
        if not 1 <= n < 1 << 32:
            raise ValueError(f"{kernel}: {what} is {tuple(numbers)}, and {n} is not 1 or more")
    return [*map(int, numbers), 1, 1][:3]


class Kernel:
    """A compiled __global__ function. Made by compile_kernel."""

    def __init__(self, source: str, name: str) -> None:
        if not isinstance(source, str) or not isinstance(name, str):
            raise TypeError("compile_kernel: the source and the name are strings")
        if not re.fullmatch(r"[A-Za-z_][\w:]*(<[\w:, *]*>)?", name):
            raise ValueError(f"compile_kernel: {name!r} names no function")
        if sys.platform == "win32":
            raise NotImplementedError("compile_kernel: not on Windows")
        self.name = name
        self._library = ctypes.CDLL(str(built(source, name)))
        for f in ("tg_types", "tg_launch"):
            getattr(self._library, f).restype = ctypes.c_char_p
        self._library.tg_allocate.restype = ctypes.c_void_p
        words = self._library.tg_types().decode().split(",")[:-1]
        self._arguments = [Argument(i, word) for i, word in enumerate(words)]
        for argument, word in zip(self._arguments, words):
            if "?" in word:
                raise TypeError(
                    f"compile_kernel: {name}'s parameter {argument.index} is neither a number nor "
                    "a pointer to numbers; Python has nothing to give it"
                )

    def __repr__(self) -> str:
        return f"<CUDA kernel {self.name}, {len(self._arguments)} arguments, emulated>"

    def __call__(
        self,
        grid: int | Sequence[int] = 1,
        block: int | Sequence[int] = 1,
        args: Sequence[Any] = (),
        shared_mem: int = 0,
    ) -> None:
        """Launches grid blocks of block threads, each one to three ints, and waits for them.

        args: an array or tensor for each pointer, contiguous and of its dtype, and a number for
        each other parameter. What the kernel wrote is in the arrays afterwards. shared_mem: bytes
        of dynamic shared memory. RuntimeError if the launch fails: its text says which thread and
        line. Ctrl-C ends it after the block that runs.
        """
        n = sizes(self.name, "grid", grid) + sizes(self.name, "block", block)
        if len(args) != len(self._arguments):
            raise TypeError(
                f"{self.name}: has {len(self._arguments)} parameters, and {len(args)} arguments "
                "were given"
            )
        if isinstance(shared_mem, bool) or not isinstance(shared_mem, int) or shared_mem < 0:
            raise ValueError(f"{self.name}: shared_mem is a number of bytes, not {shared_mem!r}")
        with Lent(self._library, self.name) as lent:
            for argument, given in zip(self._arguments, args):
                lent.add(argument, given)
            error = self._run((ctypes.c_uint * 6)(*n), shared_mem, lent.values())
            lent.fetch()
        if error:
            raise RuntimeError(f"{self.name}: CUDA: {error}")

    def _run(self, n: Any, shared_mem: int, values: Any) -> str:
        """In a thread of its own, so that this one can hear Ctrl-C."""
        said: list[bytes] = []
        ended = threading.Event()  # not join(), which may take an interrupted thread for ended

        def launch() -> None:
            said.append(self._library.tg_launch(n, ctypes.c_size_t(shared_mem), values))
            ended.set()

        self._library.tg_stop(0)
        thread = threading.Thread(target=launch, name=f"launch of {self.name}")
        try:
            thread.start()
            while not ended.wait(0.1):
                pass
        except BaseException:
            self._library.tg_stop(1)
            if thread.ident is not None:
                ended.wait()
            raise
        return said[0].decode(errors="replace")


class Lent:
    """Device memory for a launch's arrays; the same array is there once."""

    def __init__(self, library: ctypes.CDLL, kernel: str) -> None:
        self._library = library
        self._kernel = kernel
        self._there: dict[tuple[int, int], int] = {}
        self._back: list[tuple[Any, np.ndarray, int]] = []
        self._numbers: list[np.ndarray] = []  # what each parameter is, address or number

    def __enter__(self) -> Lent:
        return self

    def __exit__(self, *error: object) -> None:
        for memory in self._there.values():
            self._library.tg_release(ctypes.c_void_p(memory))

    def add(self, argument: Argument, given: Any) -> None:
        if not argument.pointer:
            self._numbers.append(argument.number(self._kernel, given))
            return
        array = argument.array(self._kernel, given)
        memory = self._memory(array)
        self._numbers.append(np.array(memory, np.uintp))
        if argument.writes:
            self._back.append((given, array, memory))

    def _memory(self, array: np.ndarray) -> int:
        place = (array.ctypes.data, array.nbytes)
        if place not in self._there:
            memory = self._library.tg_allocate(ctypes.c_size_t(array.nbytes))
            if not memory:
                raise _C.OutOfMemoryError(
                    f"{self._kernel}: {array.nbytes} bytes do not fit into device memory"
                )
            self._there[place] = memory
            self._copy(self._library.tg_to_device, memory, array.ctypes.data, array.nbytes)
        return self._there[place]

    @staticmethod
    def _copy(copy: Any, to: int, source: int, count: int) -> None:
        copy(ctypes.c_void_p(to), ctypes.c_void_p(source), ctypes.c_size_t(count))

    def values(self) -> Any:
        addresses = [number.ctypes.data for number in self._numbers]
        return (ctypes.c_void_p * max(len(addresses), 1))(*addresses)

    def fetch(self) -> None:
        """What was written goes into the arrays."""
        for given, array, memory in self._back:
            if isinstance(given, _C.Tensor):
                array = np.empty_like(array)
            self._copy(self._library.tg_to_host, array.ctypes.data, memory, array.nbytes)
            if isinstance(given, _C.Tensor):
                with no_grad():
                    given.copy_(_C.from_numpy(array).reshape(list(given.shape)))
