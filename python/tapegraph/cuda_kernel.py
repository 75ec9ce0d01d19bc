"""What tg.cuda.compile_kernel makes: a CUDA kernel of one's own, from its source.

ctypes calls the library that cuda_build.py makes of the source. Each library has an emulator of its
own, so arrays are copied there before a launch, and back after it where the kernel may write.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _C
from .autograd import no_grad
from .cuda_build import built, without_comments, without_runtime
from .cuda_counts import Counts, read_counts

# Two kernels of one source are one library, with one record of what was found and counted.
ONE_CHECKED = threading.Lock()


# ---- from arguments to a launch ------------------------------------------------------------------
class Argument:
    """What a kernel gets for one of its parameters, `word` as in "float32 const*"; "float32x4*"
    is float4*."""

    def __init__(self, index: int, word: str) -> None:
        self.index = index
        element = word.partition("*" if "const" not in word else " const*")[0]
        self.dtype, _, width = element.partition("x")
        self.width = int(width or 1)
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
            if not given.is_contiguous():
                raise ValueError(
                    f"{kernel}: argument {self.index} is not contiguous; give its .contiguous()"
                )
            host = given.detach().cpu()
            given = host.numpy()
        if not isinstance(given, np.ndarray):
            raise self.wrong(kernel, f"an array of {self.dtype}", given)
        if given.dtype != np.dtype(self.dtype):
            raise self.wrong(kernel, f"an array of {self.dtype}", given)
        if given.size % self.width != 0:
            raise ValueError(
                f"{kernel}: argument {self.index} is {self.width} {self.dtype} at a time, and the "
                f"array's {given.size} numbers are no multiple of {self.width}"
            )
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
        if kind.kind == "b":
            if not isinstance(given, (int, np.integer, np.bool_)):
                raise self.wrong(kernel, "True or False", given)
            if given not in (0, 1):
                raise ValueError(f"{kernel}: argument {self.index} is True or False, not {given}")
            return np.array(given, kind)
        ok = isinstance(given, (int, np.integer, np.bool_)) or (
            kind.kind == "f" and isinstance(given, (float, np.floating))
        )
        if not ok:
            raise self.wrong(kernel, f"a number, {self.dtype}", given)
        if kind.kind in "iu":
            fits = np.iinfo(kind).min <= int(given) <= np.iinfo(kind).max
        else:
            most = float(np.finfo(kind).max)
            fits = not (most < abs(given) < float("inf"))
        if not fits:
            raise OverflowError(f"{kernel}: argument {self.index}: {given} is no {self.dtype}")
        return np.array(given, kind)


def sizes(kernel: str, what: str, given: int | Sequence[int]) -> list[int]:
    """1, 2 or 3 numbers as x, y and z."""
    numbers = given if isinstance(given, (list, tuple)) else [given]
    is_int = [isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in numbers]
    if not 1 <= len(numbers) <= 3 or not all(is_int):
        raise TypeError(f"{kernel}: {what} is one to three ints, not {given!r}")
    for n in numbers:
        if not 1 <= n < 1 << 32:
            raise ValueError(
                f"{kernel}: {what} is {tuple(numbers)}, and {n} is not from 1 to {(1 << 32) - 1}"
            )
    return [*map(int, numbers), 1, 1][:3]


def check_is_there(source: str, name: str) -> None:
    """Is there a __global__ function of this name? One that a macro makes is not looked for."""
    code = without_comments(without_runtime(source))
    if re.search(r"#\s*(define|include)", code):
        return
    there = re.findall(r"__global__[^;{}]*?\b(?!__launch_bounds__)(\w+)\s*\((?!\s*\()", code)
    if re.split(r"[<]", name)[0].split("::")[-1] in there:
        return
    known = f"it has {', '.join(there)}" if there else "it has none"
    raise ValueError(f"compile_kernel: the source has no __global__ function {name}; {known}")


class Kernel:
    """A compiled __global__ function. Made by compile_kernel."""

    def __init__(self, source: str, name: str, checked: bool = False) -> None:
        if not isinstance(source, str) or not isinstance(name, str):
            raise TypeError("compile_kernel: the source and the name are strings")
        if not re.fullmatch(r"[A-Za-z_][\w:]*(<[\w:, *]*>)?", name):
            raise ValueError(f"compile_kernel: {name!r} names no function")
        check_is_there(source, name)
        if sys.platform == "win32":
            raise NotImplementedError("compile_kernel: not on Windows")
        self.name = name
        self.checked = bool(checked)
        self._counts: Counts | None = None
        self._notes: list[str] = []
        self._library = ctypes.CDLL(str(built(source, name, self.checked)))
        its = ("tg_counts", "tg_counts_text", "tg_svg", "tg_notes") if checked else ()
        for f in ("tg_types", "tg_launch", "tg_allow_shared", *its):
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
        how = "emulated and checked" if self.checked else "emulated"
        return f"<CUDA kernel {self.name}, {len(self._arguments)} arguments, {how}>"

    def __call__(
        self,
        grid: int | Sequence[int] = 1,
        block: int | Sequence[int] = 1,
        args: Sequence[Any] = (),
        shared_mem: int = 0,
    ) -> None:
        """Launches grid blocks of block threads, each one to three ints, and waits for them.

        args: an array or tensor for each pointer, contiguous and of its dtype (for float4*,
        float32), and a number for each other parameter. What the kernel wrote is in the arrays
        afterwards. shared_mem: bytes of dynamic shared memory, up to 48 KiB or what
        set_shared_memory_config said, for what the kernel declares as extern __shared__ float
        tile[]. RuntimeError if the launch fails: its text says which thread and line. Ctrl-C ends
        it, in the middle of a loop too.
        """
        n = sizes(self.name, "grid", grid) + sizes(self.name, "block", block)
        if not isinstance(args, (list, tuple)):
            raise TypeError(
                f"{self.name}: args is a list or tuple of arguments, not {type(args).__name__}"
            )
        if len(args) != len(self._arguments):
            raise TypeError(
                f"{self.name}: has {len(self._arguments)} parameters, and {len(args)} arguments "
                "were given"
            )
        self._check_shared("shared_mem", shared_mem)
        with Lent(self._library, self.name) as lent:
            for argument, given in zip(self._arguments, args):
                lent.add(argument, given)
            lent.send()
            error = self._run((ctypes.c_uint * 6)(*n), shared_mem, lent.values())
            lent.fetch()
        if error:
            error = error.replace("allow_shared_bytes()", "set_shared_memory_config()")
            raise RuntimeError(f"{self.name}: CUDA: {error}")

    def set_shared_memory_config(self, shared_mem_bytes: int) -> None:
        """Lets launches ask for up to so many bytes of dynamic shared memory, more than 48 KiB.

        ValueError: not from 0 to 232448, the most that a GPU has (compute capability 9.0).
        """
        self._check_shared("shared_mem_bytes", shared_mem_bytes)
        error = self._library.tg_allow_shared(ctypes.c_size_t(int(shared_mem_bytes)))
        if error:
            text = error.decode().replace("allow_shared_bytes", "set_shared_memory_config")
            raise ValueError(f"{self.name}: {text}")

    def _check_shared(self, what: str, count: Any) -> None:
        is_int = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
        if not is_int or not 0 <= count < 1 << 63:
            raise ValueError(f"{self.name}: {what} is a number of bytes, not {count!r}")

    def _run(self, n: Any, shared_mem: int, values: Any) -> str:
        """In a thread of its own, so that this one can hear Ctrl-C."""
        said: list[bytes] = []
        ended = threading.Event()  # not join(), which may take an interrupted thread for ended

        def launch() -> None:
            try:
                with ONE_CHECKED if self.checked else contextlib.nullcontext():
                    said.append(
                        self._library.tg_launch(n, ctypes.c_size_t(int(shared_mem)), values)
                    )
                    if self.checked:
                        self._look()
            finally:
                ended.set()

        self._library.tg_stop(0)
        thread = threading.Thread(target=launch, name=f"launch of {self.name}")
        try:
            thread.start()
            while not ended.wait(0.1):
                pass
        except BaseException:
            self._library.tg_stop(1)
            while thread.ident is not None and not ended.wait(0.1):
                self._library.tg_stop(1)  # the launch may not have begun before
            raise
        return said[0].decode(errors="replace")

    # ---- what the checks saw ------------------------------------------------------------------
    def _look(self) -> None:
        def said(name: str) -> str:
            return getattr(self._library, name)().decode(errors="replace")

        self._counts = read_counts(said("tg_counts"), said("tg_counts_text"), said("tg_svg"))
        self._notes = said("tg_notes").splitlines()

    def _seen(self, what: str) -> None:
        if not self.checked:
            raise RuntimeError(f"{self.name}: {what}: compile the kernel with checked=True")
        if self._counts is None:
            raise RuntimeError(f"{self.name}: {what}: launch the kernel first")

    @property
    def counts(self) -> Counts:
        """What the latest launch did to memory, line by line; also of one that failed."""
        self._seen("counts")
        assert self._counts is not None
        return self._counts

    def svg(self) -> str:
        """A picture of the latest launch: which lane of warp 0 of block 0 touched which bytes, of
        each sector of global memory and each bank of shared memory; a notebook shows it."""
        return self.counts.svg

    def _repr_html_(self) -> str | None:
        return None if self._counts is None else self._counts._repr_html_()

    @property
    def notes(self) -> list[str]:
        """What the checks found in the latest launch that is no error: writers that agree."""
        self._seen("notes")
        return self._notes


class Part:
    """The bytes of one argument: where they lie, which says what it shares with others, and a copy
    of them in the host's memory, or themselves."""

    def __init__(self, argument: Argument, given: Any, host: np.ndarray) -> None:
        on_device = isinstance(given, _C.Tensor) and given.is_cuda
        self.place = "device" if on_device else "host"
        self.begin = given.data_ptr() if on_device else host.ctypes.data
        self.end = self.begin + host.nbytes
        self.writes = argument.writes
        self.given = given
        self.host = host


class Lent:
    """Device memory for a launch's arrays; those that share memory share it there too."""

    def __init__(self, library: ctypes.CDLL, kernel: str) -> None:
        self._library = library
        self._kernel = kernel
        self._parts: dict[int, Part] = {}  # by argument
        self._numbers: dict[int, np.ndarray] = {}  # what the parameter is: an address or a number
        self._blocks: list[int] = []

    def __enter__(self) -> Lent:
        return self

    def __exit__(self, *error: object) -> None:
        for memory in self._blocks:
            self._library.tg_release(ctypes.c_void_p(memory))

    def add(self, argument: Argument, given: Any) -> None:
        if argument.pointer:
            host = argument.array(self._kernel, given)
            self._parts[argument.index] = Part(argument, given, host)
        else:
            self._numbers[argument.index] = argument.number(self._kernel, given)

    def send(self) -> None:
        """All arrays are known: a block for each stretch of memory that they cover."""
        end = begin = memory = 0
        place = ""
        by_place = sorted(self._parts.items(), key=lambda item: (item[1].place, item[1].begin))
        for i, (index, part) in enumerate(by_place):
            if part.place != place or part.begin >= end:
                place, begin, end = part.place, part.begin, part.end
                for _, other in by_place[i:]:
                    if other.place == place and other.begin < end:
                        end = max(end, other.end)
                memory = self._allocate(end - begin)
            there = memory + part.begin - begin
            self._numbers[index] = np.array(there, np.uintp)
            self._copy(self._library.tg_to_device, there, part.host.ctypes.data, part.host.nbytes)

    def _allocate(self, count: int) -> int:
        memory = self._library.tg_allocate(ctypes.c_size_t(count))
        if not memory:
            raise _C.OutOfMemoryError(
                f"{self._kernel}: {count} bytes do not fit into device memory"
            )
        self._blocks.append(memory)
        return memory

    @staticmethod
    def _copy(copy: Any, to: int, source: int, count: int) -> None:
        copy(ctypes.c_void_p(to), ctypes.c_void_p(source), ctypes.c_size_t(count))

    def values(self) -> Any:
        addresses = [self._numbers[i].ctypes.data for i in sorted(self._numbers)]
        return (ctypes.c_void_p * max(len(addresses), 1))(*addresses)

    def fetch(self) -> None:
        """What was written goes into the arrays."""
        for index, part in self._parts.items():
            if not part.writes:
                continue
            on_tensor = isinstance(part.given, _C.Tensor)
            array = np.empty_like(part.host) if on_tensor else part.host
            memory = int(self._numbers[index])
            self._copy(self._library.tg_to_host, array.ctypes.data, memory, array.nbytes)
            if on_tensor:
                with no_grad():
                    part.given.copy_(_C.from_numpy(array).reshape(list(part.given.shape)))
