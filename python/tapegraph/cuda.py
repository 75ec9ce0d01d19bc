"""The device "cuda", with PyTorch's names. Without a GPU it is an emulator that runs the same
kernels on the CPU: for learning and checking, not for speed."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from . import _C, allocator

if TYPE_CHECKING:
    from .cuda_kernel import Kernel

T = TypeVar("T")
OutOfMemoryError = _C.OutOfMemoryError

__all__ = [
    "Event", "OutOfMemoryError", "Stream", "compile_kernel", "current_device", "current_stream",
    "default_stream", "device", "device_count", "empty_cache", "get_device_capability",
    "get_device_name", "get_device_properties", "init", "is_available", "is_bf16_supported",
    "is_emulated", "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "mem_get_info", "memory_allocated", "memory_reserved", "memory_stats", "memory_summary",
    "reset_peak_memory_stats", "set_device", "set_stream", "stream", "synchronize",
]  # fmt: skip


def _check(device: object, name: str) -> None:
    """There is one device: None, 0, "cuda", "cuda:0" and tg.device("cuda") name it."""
    if device is None or (type(device) is int and device in (0, -1)):
        return
    if isinstance(device, (str, _C.device)):
        if _C.device(device).type == "cuda":
            return
        raise ValueError(f'{name}: device {str(device)!r} is not "cuda"')
    if type(device) is int:
        raise RuntimeError(f"{name}: device {device} is not there; the only one is 0")
    raise TypeError(f'{name}: device must be "cuda", 0 or None, not {type(device).__name__}')


# ---- the device ----------------------------------------------------------------------------------
def is_emulated() -> bool:
    """Do CUDA tensors live in the emulator?"""
    return _C._cuda_is_emulated()


def is_available() -> bool:
    """Is there a real GPU? (The device "cuda" always works; see is_emulated.)"""
    return not is_emulated()


def is_initialized() -> bool:
    return True


def init() -> None:
    """Nothing is left to do: the device is opened when it is first used."""


def is_bf16_supported(including_emulation: bool = True) -> bool:
    return True


def device_count() -> int:
    """How many devices "cuda" names: always one."""
    return 1


def current_device() -> int:
    return 0


def set_device(device: object) -> None:
    """Nothing changes: there is one. RuntimeError for another one."""
    _check(device, "set_device")


class device:
    """For `with`: the device that is current inside. There is one, so nothing changes."""

    def __init__(self, device: object) -> None:
        _check(device, "device")

    def __enter__(self) -> device:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def get_device_properties(device: object = None) -> SimpleNamespace:
    """name, major, minor, total_memory (bytes), multi_processor_count, warp_size,
    max_threads_per_block, shared_memory_per_block (bytes), as CUDA gives them."""
    _check(device, "get_device_properties")
    return SimpleNamespace(**_C._cuda_properties())


def get_device_name(device: object = None) -> str:
    """The GPU's name, or what emulates one."""
    _check(device, "get_device_name")
    return _C._cuda_properties()["name"]


def get_device_capability(device: object = None) -> tuple[int, int]:
    """(major, minor) of the compute capability; (0, 0) of an emulator."""
    _check(device, "get_device_capability")
    found = _C._cuda_properties()
    return found["major"], found["minor"]


def manual_seed(seed: int) -> None:
    """tg.manual_seed: one generator serves both devices, with the same numbers."""
    _C.manual_seed(seed)


manual_seed_all = manual_seed


# ---- order ---------------------------------------------------------------------------------------
def synchronize(device: object = None) -> None:
    """Waits until all kernels that were launched have ended. RuntimeError if one of them failed."""
    _check(device, "synchronize")
    _C._cuda_synchronize()


class Event:
    """A mark between launches, for timing: two events, and elapsed_time between them.

    On the emulator launches end before they return, and an event takes the CPU's time.
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False) -> None:
        self._event = _C._CudaEvent(bool(enable_timing))

    def record(self, stream: Stream | None = None) -> None:
        """Marks the place behind all launches so far in the stream: this one, unless told."""
        with _within(stream, "record"):
            self._event.record()

    def query(self) -> bool:
        """Have the launches before it ended?"""
        return self._event.query()

    def synchronize(self) -> None:
        """Waits for the launches before it."""
        self._event.synchronize()

    def wait(self, stream: Stream | None = None) -> None:
        """What is launched in the stream from here on begins when the event has come to pass."""
        with _within(stream, "wait"):
            self._event.hold()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to end_event; both were recorded and have ended."""
        if not isinstance(end_event, Event):
            raise TypeError(
                f"elapsed_time: end_event must be an Event, not {type(end_event).__name__}"
            )
        return self._event.elapsed_time(end_event._event)


class Stream:
    """An order of launches; `with stream:` puts this thread's launches into it.

    On a GPU those of two streams may run at the same time. The default stream overlaps with none:
    it waits for all others, and they for it. A tensor that is made in one stream and used in
    another needs an event between, or wait_stream, and Tensor.record_stream. backward() runs in the
    stream in which it is called. On the emulator a launch ends before it returns: streams change
    nothing, so a program that forgets to wait is right there, and wrong on a GPU.
    """

    def __init__(self, device: object = None, priority: int = 0) -> None:
        _check(device, "Stream")
        self._stream = _C._CudaStream()

    def __enter__(self) -> Stream:
        before = current_stream()
        set_stream(self)
        _this_thread.left = [*_left(), before]
        return self

    def __exit__(self, *error: object) -> None:
        if not _left():
            raise RuntimeError("Stream: this thread is in no `with stream:` that could end")
        set_stream(_left().pop())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.cuda_stream == other.cuda_stream

    def __hash__(self) -> int:
        return hash(self.cuda_stream)

    def __repr__(self) -> str:
        return f"<tapegraph.cuda.Stream device=cuda:0 cuda_stream={self.cuda_stream:#x}>"

    @property
    def cuda_stream(self) -> int:
        """CUDA's own handle, as a number; 0 is the default stream."""
        return self._stream.address()

    def synchronize(self) -> None:
        """Waits until all launches in it have ended. RuntimeError if one of them failed."""
        with _within(self, "synchronize"):
            _C._cuda_synchronize_stream()

    def query(self) -> bool:
        """Have all launches in it ended?"""
        return self.record_event().query()

    def record_event(self, event: Event | None = None) -> Event:
        """The event, or a new one, recorded in this stream."""
        event = Event() if event is None else _wanted(event, Event, "record_event")
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """What is launched in this stream from here on begins when the event has come to pass."""
        _wanted(event, Event, "wait_event").wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """What is launched here from now on comes behind what was launched there."""
        self.wait_event(_wanted(stream, Stream, "wait_stream").record_event())


class _Default(Stream):
    def __init__(self) -> None:
        self._stream = _C._CudaStream.usual()


_default = _Default()
_this_thread = threading.local()


def _left() -> list[Stream]:
    """The streams that this thread's open `with stream:` go back to, innermost last."""
    return getattr(_this_thread, "left", [])


def default_stream(device: object = None) -> Stream:
    """The stream that launches go to unless another is chosen."""
    _check(device, "default_stream")
    return _default


def current_stream(device: object = None) -> Stream:
    """The stream that this thread's launches go to."""
    _check(device, "current_stream")
    return getattr(_this_thread, "stream", _default)


def set_stream(stream: Stream | None) -> None:
    """This thread's launches go to that stream from here on; None changes nothing."""
    if stream is None:
        return
    _wanted(stream, Stream, "set_stream")._stream.use()
    _this_thread.stream = stream


def stream(stream: Stream | None) -> Stream:
    """For `with`: launches inside go to that stream; None changes nothing."""
    return _within(stream, "stream")


def _within(stream: Stream | None, name: str) -> Stream:
    return current_stream() if stream is None else _wanted(stream, Stream, name)


def _wanted(given: T, kind: type[T], name: str) -> T:
    if not isinstance(given, kind):
        what = kind.__name__
        article = "an" if what[0] in "AEIOU" else "a"
        raise TypeError(
            f"{name}: {what.lower()} must be {article} {what}, not {type(given).__name__}"
        )
    return given


# ---- memory --------------------------------------------------------------------------------------
def memory_allocated(device: object = None) -> int:
    """Bytes of the tensors on the device."""
    return memory_stats(device)["allocated_bytes.all.current"]


def max_memory_allocated(device: object = None) -> int:
    """The most bytes that tensors had since the start or reset_peak_memory_stats."""
    return memory_stats(device)["allocated_bytes.all.peak"]


def memory_reserved(device: object = None) -> int:
    """Bytes of tensors, and of freed blocks that are kept for the next ones."""
    return memory_stats(device)["reserved_bytes.all.current"]


def memory_stats(device: object = None) -> dict[str, Any]:
    """What the caching allocator counts, in bytes, under PyTorch's names."""
    _check(device, "memory_stats")
    found = allocator.statistics("cuda")
    return {
        "allocated_bytes.all.current": found["live"],
        "allocated_bytes.all.peak": found["peak"],
        "allocation.all.allocated": found["requests"],
        "reserved_bytes.all.current": found["live"] + found["kept"],
    }


def memory_summary(device: object = None, abbreviated: bool = False) -> str:
    """memory_stats as a table for people. abbreviated changes nothing: it is short."""
    stats = memory_stats(device)
    rows = {
        "tensors": stats["allocated_bytes.all.current"],
        "tensors, at the peak": stats["allocated_bytes.all.peak"],
        "tensors and blocks kept for the next": stats["reserved_bytes.all.current"],
    }
    lines = [f"{what:<38} {count:>16,} bytes" for what, count in rows.items()]
    lines.append(f"{'blocks asked for so far':<38} {stats['allocation.all.allocated']:>16,}")
    return "\n".join(lines)


def reset_peak_memory_stats(device: object = None) -> None:
    _check(device, "reset_peak_memory_stats")
    allocator.reset_peak("cuda")


def empty_cache() -> None:
    """Gives freed blocks that were kept back to the device."""
    allocator.release_kept()


def mem_get_info(device: object = None) -> tuple[int, int]:
    """Bytes of the device that are free, and all."""
    _check(device, "mem_get_info")
    return _C._cuda_free_memory(), _C._cuda_properties()["total_memory"]


# ---- kernels of one's own ------------------------------------------------------------------------
def compile_kernel(kernel_source: str, kernel_name: str, *, checked: bool = False) -> Kernel:
    """Compiles a kernel's source, CUDA C++, with the machine's C++ compiler, for the emulator.

        source = '''
        __global__ void scale(float* x, float factor, int n) {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i < n) x[i] *= factor;
        }
        '''
        scale = tg.cuda.compile_kernel(source, "scale")
        scale(grid=2, block=32, args=(x, 2.0, len(x)))

    kernel_name: the function; of a template an instance, "scale<float>" or, to count its arithmetic
    too, "scale<simt::counted_float>". The kernel runs on the CPU, also where there is a GPU. The
    first use compiles the emulator too, some seconds or, checked, half a minute; what is compiled
    stays in the user's cache folder.
    checked: races, accesses out of bounds and reads of what nobody wrote fail the launch, named
    with lines of the source, "kernel.cu:7"; and scale.counts says what each line did to memory,
    and a notebook draws it. Launches are slower. It needs Linux and g++.
    RuntimeError: there is no compiler, or it refused the source.
    """
    from .cuda_kernel import Kernel  # it takes what only few programs need

    return Kernel(kernel_source, kernel_name, checked)
