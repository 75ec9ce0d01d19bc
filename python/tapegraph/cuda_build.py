"""From a CUDA kernel's source to a library: what tg.cuda.compile_kernel does first.

The machine's C++ compiler makes a small library of the source, of the emulator (the folder simt)
and of the few lines below that pass arguments on. A checked library holds simt/check too, and the
compiler then announces every access of the kernel (simt/README.md, "The checks").
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SIMT = Path(__file__).with_name("simt")
FLAGS = ["-std=c++20", "-g", "-gdwarf-4", "-fPIC", "-ffp-contract=off", "-pthread"]
# Two libraries may hold kernels of one name: neither sees the other's.
FLAGS += ["-fvisibility=hidden", *(["-Wl,-Bsymbolic"] if sys.platform == "linux" else [])]
# Those of simt/README.md; a flag replaces its like from above.
CHECK_FLAGS = ["-O1", "-g1", "-gdwarf-4", "-finline-small-functions"]
CHECK_FLAGS += ["-fno-reorder-blocks", "-fno-tree-sra", "-fsanitize=thread,bounds,alignment"]

GLUE = r"""
#include <cassert>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "simt.h"
#include "counted.h"

#define HOSTS __attribute__((error("it is the host's; a kernel returns, or fails with __trap()")))
extern "C" {
[[noreturn]] void exit(int) noexcept HOSTS;
[[noreturn]] void _exit(int) HOSTS;
[[noreturn]] void _Exit(int) noexcept HOSTS;
[[noreturn]] void quick_exit(int) noexcept HOSTS;
}

#include "kernel.cu"

static constexpr auto tg_kernel = &KERNEL;

namespace simt::glue {

template <class T>
std::string name_of() {
    if constexpr (std::is_same_v<T, bool>) return "bool";
    else if constexpr (std::is_same_v<T, float>) return "float32";
    else if constexpr (std::is_same_v<T, double>) return "float64";
    else if constexpr (std::is_same_v<T, simt::counted_float>) return "float32";
    else if constexpr (std::is_same_v<T, simt::counted_double>) return "float64";
    else if constexpr (std::is_integral_v<T>)
        return (std::is_signed_v<T> ? "int" : "uint") + std::to_string(8 * sizeof(T));
    else return "?";
}

// Of float4 and its like, numbers x, y, z and w and no more: how many. 0 of another type.
template <class T>
constexpr std::size_t width() {
    if constexpr (requires(T v) { v.x; } && std::is_class_v<T>) {
        using Number = decltype(T::x);
        constexpr bool y = requires { requires std::is_same_v<decltype(T::y), Number>; };
        constexpr bool z = requires { requires std::is_same_v<decltype(T::z), Number>; };
        constexpr bool w = requires { requires std::is_same_v<decltype(T::w), Number>; };
        constexpr std::size_t n = !y ? 1 : !z ? 2 : !w ? 3 : 4;
        return std::is_arithmetic_v<Number> && sizeof(T) == n * sizeof(Number) ? n : 0;
    } else return 0;
}

// "float32", "float32*", of a float4* "float32x4*"; where the kernel only reads, "float32 const*".
template <class T>
std::string word() {
    if constexpr (!std::is_pointer_v<T>) return name_of<T>();
    else {
        using Element = std::remove_pointer_t<T>;
        using Plain = std::remove_cv_t<Element>;
        const std::string star = std::is_const_v<Element> ? " const*" : "*";
        if constexpr (width<Plain>() > 0)
            return name_of<decltype(Plain::x)>() + "x" + std::to_string(width<Plain>()) + star;
        else return name_of<Plain>() + star;
    }
}

template <class R, class... P>
constexpr bool is_kernel(R (*)(P...)) { return std::is_void_v<R>; }
static_assert(is_kernel(tg_kernel), "RETURNS_VOID");

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

const std::string types = words(tg_kernel);
volatile bool stop = false;
bool asked_to_stop() { return stop; }

#pragma GCC visibility push(default)
extern "C" {
const char* tg_types() { return types.c_str(); }
const char* tg_launch(const unsigned* n, std::size_t shared, void** given) {
    simt::stop_when(asked_to_stop);
    call(tg_kernel, {n[0], n[1], n[2]}, {n[3], n[4], n[5]}, shared, given);
    std::fflush(stdout);
    return simt::last_error();
}
const char* tg_allow_shared(std::size_t bytes) {
    simt::allow_shared_bytes(tg_kernel, bytes);
    return simt::last_error();
}
void tg_stop(int now) {
    stop = now != 0;
    if (stop) simt::stop_now();
}
void* tg_allocate(std::size_t bytes) { return simt::allocate(bytes); }
void tg_release(void* memory) { simt::release(memory); }
void tg_to_device(void* to, const void* from, std::size_t n) { simt::copy_to_device(to, from, n); }
void tg_to_host(void* to, const void* from, std::size_t n) { simt::copy_to_host(to, from, n); }
}
#pragma GCC visibility pop

}  // namespace simt::glue
"""

RETURNS_VOID = "a __global__ function returns void; write results to an array"

# What a checked library has besides: what was found and counted in its latest launch.
CHECK_GLUE = r"""
#include "check/check.h"

namespace simt::glue {

const bool counting = (simt::check::count(true), true);
std::string said;

#pragma GCC visibility push(default)
extern "C" {
const char* tg_counts() {
    return (said = simt::check::json(simt::check::counts())).c_str();
}
const char* tg_counts_text() {
    return (said = simt::check::text(simt::check::counts())).c_str();
}
const char* tg_svg() {
    return (said = simt::check::svg(simt::check::counts())).c_str();
}
const char* tg_notes() {
    said.clear();
    for (const auto& report : simt::check::reports())
        if (report.note) said += report.text + "\n";
    return said.c_str();
}
}
#pragma GCC visibility pop

}  // namespace simt::glue
"""


# ---- the compiler --------------------------------------------------------------------------------
def compiler() -> str:
    for name in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        if name and (found := shutil.which(name)):
            return found
    raise RuntimeError(
        "compile_kernel: there is no C++ compiler; install g++ or clang++, or set CXX to one"
    )


@functools.cache
def is_gcc(path: str) -> bool:
    """Not clang under its name, as c++ and even g++ may be."""
    command = [path, "-dM", "-E", "-x", "c++", os.devnull]
    known = subprocess.run(command, capture_output=True, text=True).stdout
    return "__GNUC__" in known and "__clang__" not in known


def checking_compiler() -> str:
    """CXX if it is g++, else the g++ that is there: only it announces every access."""
    if sys.platform != "linux":
        raise NotImplementedError(
            f"compile_kernel: checked=True is for Linux, not {sys.platform}; leave it out"
        )
    for name in (os.environ.get("CXX", ""), "g++", "c++"):
        if name and (found := shutil.which(name)) and is_gcc(found):
            return found
    raise RuntimeError(
        "compile_kernel: checked=True needs g++, and there is none; install it, or leave "
        "checked=True out"
    )


def refused(cxx: str, arguments: list[str]) -> str:
    """Runs the compiler. Returns its words if it fails, else nothing."""
    run = subprocess.run([cxx, *FLAGS, *arguments], capture_output=True, text=True)
    return "" if run.returncode == 0 else run.stderr or f"{cxx} ended with {run.returncode}"


def compiled(cxx: str, arguments: list[str], target: Path) -> str:
    """As refused; the target is there at the end whole, or not at all."""
    fresh = target.with_name(f"{os.getpid()}.{threading.get_ident()}.{target.name}")
    said = refused(cxx, [*arguments, "-o", str(fresh)])
    if not said:
        fresh.replace(target)
    return said


def written(target: Path, text: str) -> None:
    """The file is there whole at any time: another thread's compiler may be reading it."""
    fresh = target.with_name(f"{os.getpid()}.{threading.get_ident()}.{target.name}")
    fresh.write_text(text)
    fresh.replace(target)


# ---- what stays for the next time ----------------------------------------------------------------
def cache() -> Path:
    """The user's own folder."""
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


# ---- from source to a library --------------------------------------------------------------------
def emulator(cxx: str, checked: bool) -> tuple[str, list[Path]]:
    """What names the emulator's present sources, and their objects, compiled if they are not there.

    The first time it takes some seconds, and with the checks half a minute."""
    files = sorted([*SIMT.rglob("*.h"), *SIMT.rglob("*.cc")])
    key = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    folder = folder_of(cxx, FLAGS, key)
    sources = sorted([*SIMT.glob("*.cc"), *(SIMT.glob("check/*.cc") if checked else [])])
    objects = [folder / "_".join(f.relative_to(SIMT).with_suffix(".o").parts) for f in sources]

    def compile_one(source: Path, target: Path) -> str:
        # A debugger has nothing to look for in the checks.
        flags = ["-O2", *(["-g0"] if source.parent.name == "check" else []), "-c"]
        return "" if target.exists() else compiled(cxx, [*flags, str(source)], target)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = "".join(pool.map(compile_one, sources, objects))
    if said:
        raise RuntimeError(f"compile_kernel: the emulator does not compile:\n{essential(said)}")
    return key, objects


def built(source: str, name: str, checked: bool = False) -> Path:
    """The library of a kernel; compiled if it is not there from before."""
    cxx = checking_compiler() if checked else compiler()
    key, objects = emulator(cxx, checked)
    glued = GLUE.replace("KERNEL", name).replace("RETURNS_VOID", RETURNS_VOID)
    lines = glued + CHECK_GLUE * checked
    flags = [*(CHECK_FLAGS if checked else ["-O1"]), "-fno-exceptions"]
    if sys.platform == "linux":
        flags.append("-fstack-clash-protection")  # a large array does not step over the stack's end
    source = with_simts_shared(without_runtime(source))
    folder = folder_of(cxx, FLAGS, flags, key, lines, source)
    library = folder / "kernel.so"
    if library.exists():
        return library
    kernel = folder / "kernel.cu"
    written(kernel, source)
    glue, glue_object = folder / "glue.cc", folder / "glue.o"
    written(glue, lines)
    flags += ["-I", str(SIMT), "-I", str(folder)]
    said = compiled(cxx, [*flags, "-c", str(glue)], glue_object)
    if said:  # of the source alone, if it can be: a brace that it leaves open is no matter of ours
        alone = ["-fsyntax-only", "-include", "simt.h", "-x", "c++", str(kernel)]
        said = refused(cxx, [*flags, *alone]) or said
    # Linked without -fsanitize: the functions that the checked kernel calls are simt's own.
    whole = ["-shared", *(["-Wl,--no-undefined"] if sys.platform == "linux" else [])]
    trial = folder / f"{os.getpid()}.{threading.get_ident()}.trial.so"
    said = said or compiled(cxx, [*whole, str(glue_object), *map(str, objects)], trial)
    if said:
        if RETURNS_VOID in said:  # the compiler's other words are of the glue
            raise RuntimeError(f"compile_kernel: {name} does not compile: {RETURNS_VOID}")
        said = essential(said.replace(f"{folder}{os.sep}", ""))
        raise RuntimeError(f"compile_kernel: {name} does not compile:{hint(source)}\n{said}")
    if not opens(trial):
        trial.unlink()
        raise RuntimeError(
            f"compile_kernel: to load {name} would end the process: the code that initialises a "
            "variable outside of its functions fails; give the variable a constant"
        )
    trial.replace(library)
    return library


def without_comments(source: str) -> str:
    """With as many lines."""

    def instead(found: re.Match[str]) -> str:
        return " " + "\n" * found[0].count("\n")

    return re.sub(r"//[^\n]*|/\*.*?\*/", instead, source, flags=re.S)


def without_runtime(source: str) -> str:
    """Without the headers of CUDA's runtime: what kernels need of them is in simt.h."""
    its = "cuda|cuda_runtime|cuda_runtime_api|device_launch_parameters|device_functions"
    line = rf'^[ \t]*#[ \t]*include[ \t]*[<"](?:{its})\.h[>"]'
    return re.sub(line, "", source, flags=re.M)


def hint(source: str) -> str:
    """What to do about the words of CUDA that are the host's."""
    code = without_comments(source)
    for word, instead in (
        (r"<<<", "launch the kernel from Python, kernel(grid, block, args), not with <<<...>>>"),
        (
            r"\bcuda[A-Z]\w*(?=\s*\()",
            "{} is the host's; leave it out: Python copies arrays to the device and back",
        ),
    ):
        if found := re.search(word, code):
            line = code.count("\n", 0, found.start()) + 1
            return f" kernel.cu:{line}: {instead.format(found[0])}"
    return ""


def with_simts_shared(source: str) -> str:
    """With simt's DYNAMIC_SHARED(T, name) for CUDA's extern __shared__ T name[], and without the
    static that CUDA allows before __shared__."""
    source = re.sub(r"\bstatic\s+(?=__shared__\b)", "", source)
    for found in re.finditer(r"\b(extern\s+)?__shared__\b[^;{}=]*", source):
        before = without_comments(source[: found.start()] + "$")
        if before.endswith("$") and before.count("{") == before.count("}"):
            raise RuntimeError(
                f"compile_kernel: kernel.cu:{source.count(chr(10), 0, found.start()) + 1}: "
                f"declare {found[0].strip()} in the kernel, not outside of all functions"
            )
    declaration = (
        r"\bextern\s+__shared__\s+(?:(?:__align__|alignas)\s*\([^)]*\)\s*)?"
        r"(\w[\w:<>\s]*?)\s*\b(\w+)\s*\[\s*\]\s*;"
    )
    return re.sub(declaration, r"DYNAMIC_SHARED(\1, \2);", source)


def opens(library: Path) -> bool:
    """Tried in a process of its own: what initialises variables runs when a library is opened."""
    code = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    if not sys.executable:
        return True
    command = [sys.executable, "-I", "-S", "-c", code, str(library)]
    return subprocess.run(command, capture_output=True).returncode == 0


def essential(said: str) -> str:
    """A compiler's words, at most 40 lines; the source is kernel.cu in them."""
    return "\n".join(said.splitlines()[:40])
