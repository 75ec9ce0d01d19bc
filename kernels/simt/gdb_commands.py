"""Commands of gdb for a kernel on the emulator. gdb.py loads them.

    simt threads        who runs, who waits where, who has returned, of the block that runs
    simt thread 3,0,0   shows that thread: `backtrace`, `info locals` and `print` are its own
    simt back           shows the thread that runs again; so do all commands that go on
    simt shared         the shared arrays of the block

They only read memory. A thread that waits keeps its registers on its own stack, where simt_switch
(fiber.cc) pushed them. gdb learns by an unwinder where: while a thread is shown, the innermost
frame, which is of the thread that runs, seems to have been called by the shown one. So `backtrace`
begins at frame 1. It needs the emulator compiled with -g, and not ucontext.
"""

from __future__ import annotations

import os

import gdb
from gdb.unwinder import Unwinder

# Where simt_switch leaves a register, in words above the stack pointer, and how many there are.
SAVED = {
    "i386:x86-64": ({"r15": 0, "r14": 1, "r13": 2, "r12": 3, "rbx": 4, "rbp": 5, "rip": 6}, 7),
    # Written alike; not run on one.
    "aarch64": ({**{f"x{19 + i}": 8 + i for i in range(11)}, "pc": 19}, 20),
}
STACK = {"i386:x86-64": "rsp", "aarch64": "sp"}


# ---- the emulator's state, machine.h -------------------------------------------------------------
def machine():
    try:
        found = gdb.parse_and_eval("simt::machine").referenced_value()
        runs = int(found["launch"]) != 0
    except gdb.MemoryError:
        runs = False  # the program has not begun
    except gdb.error:
        raise gdb.GdbError("simt: no emulator here, or it was compiled without -g") from None
    if not runs:
        raise gdb.GdbError("simt: no kernel is running")
    return found


def triple(value):
    return tuple(int(value[axis]) for axis in "xyz")


def index_text(index):
    return "({}, {}, {})".format(*index)


def block_size():
    return triple(gdb.parse_and_eval("blockDim"))


def index_of(thread):
    x, y, _ = block_size()
    return thread % x, thread // x % y, thread // x // y


def number_of(index):
    x, y, _ = block_size()
    return index[0] + x * (index[1] + y * index[2])


def workers(state):
    """Those whose threads wait or may go on, by thread."""
    start, finish = (state["workers"]["_M_impl"][end] for end in ("_M_start", "_M_finish"))
    worker = gdb.lookup_type("simt::Worker").pointer()
    first = start.cast(worker.pointer())
    all_of_them = ((first + i).dereference() for i in range(int(finish - start)))
    return {int(w["thread"]): w for w in all_of_them if int(w["wait"]["operation"]) != 0}


def begun(state):
    """The threads that have begun, in any order."""
    order, count = state["order"], int(state["started"])
    if str(order["schedule"]).endswith("forward"):
        return set(range(count))
    return {int(order["threads"][i]) for i in range(count)}


def running(state):
    return None if int(state["running"]) == 0 else int(state["running"]["thread"])


# ---- simt threads --------------------------------------------------------------------------------
def place(wait):
    file = os.path.basename(wait["file"].string())
    where = f" at {file}:{int(wait['line'])}" if file else ""
    mask = int(wait["mask"])
    return wait["operation"].string() + where + (f" with mask 0x{mask:08x}" if mask else "")


def doing(state):
    """What each thread of the block does, in the order of their numbers."""
    waiting, started, current = workers(state), begun(state), running(state)
    for thread in range(int(state["threads"])):
        if thread == current:
            yield "running"
        elif thread in waiting:
            parked = int(state["parked"][thread]) != 0
            yield ("in " if parked else "may go on from ") + place(waiting[thread]["wait"])
        else:
            yield "returned" if thread in started else "not begun"


def ranges(threads):
    """[0, 1, 2, 5] as "(0, 0, 0) to (2, 0, 0), (5, 0, 0)"."""
    runs = []
    for thread in threads:
        if runs and runs[-1][1] == thread - 1:
            runs[-1][1] = thread
        else:
            runs.append([thread, thread])
    texts = [index_text(index_of(a)) for a, _ in runs]
    for i, (a, b) in enumerate(runs):
        if b > a:
            texts[i] += (" to " if b > a + 1 else ", ") + index_text(index_of(b))
    return ", ".join(texts)


def threads_text():
    state = machine()
    groups = {}
    for thread, what in enumerate(doing(state)):
        groups.setdefault(what, []).append(thread)
    block, grid = (triple(gdb.parse_and_eval(name)) for name in ("blockIdx", "gridDim"))
    lines = [
        f"block {index_text(block)} of grid {index_text(grid)}, threads {index_text(block_size())}"
    ]
    width = max(len(str(len(threads))) for threads in groups.values())
    lines += [f"{len(t):{width}} {what}: {ranges(t)}" for what, t in groups.items()]
    return "\n".join(lines)


# ---- simt thread, simt back ----------------------------------------------------------------------
class Shown(Unwinder):
    """Makes the registers of the thread that is shown those of the innermost frame's caller."""

    def __init__(self):
        super().__init__("simt")
        self.thread = None  # its number, and
        self.stack = 0  # where its registers lie
        self.os_thread = None

    def show(self, thread, stack):
        self.thread, self.stack = thread, stack
        self.os_thread = gdb.selected_thread().ptid
        without_first.enabled = True
        gdb.invalidate_cached_frames()

    def forget(self, *_):
        if self.thread is not None:
            self.thread = None
            without_first.enabled = False
            gdb.invalidate_cached_frames()

    def __call__(self, frame):
        ours = self.thread is not None and gdb.selected_thread().ptid == self.os_thread
        if not ours or frame.level() != 0:
            return None
        name = frame.architecture().name()
        saved, words = SAVED[name]
        word = gdb.lookup_type("unsigned long")
        # gdb stops where a caller lies below the one it called, as stacks of threads may. Nothing
        # lies below 0.
        pc = frame.read_register("pc")
        info = frame.create_unwind_info(FrameId(gdb.Value(0).cast(word), pc))
        memory = gdb.Value(self.stack).cast(word.pointer())
        for register, at in saved.items():
            like = frame.read_register(register).type
            info.add_saved_register(register, (memory + at).dereference().cast(like))
        top = (memory + words).cast(frame.read_register(STACK[name]).type)
        info.add_saved_register(STACK[name], top)
        return info


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class WithoutFirst:
    """Leaves the frame of the thread that runs out of a backtrace of the shown one."""

    name, priority, enabled = "simt", 100, False

    def filter(self, frames):
        return (frame for frame in frames if frame.inferior_frame().level() > 0)


shown, without_first = Shown(), WithoutFirst()


def emulator_folder():
    return os.path.dirname(gdb.lookup_global_symbol("simt::run_block").symtab.fullname())


def of_kernel(frame):
    """Is it the user's, not the emulator's?"""
    symtab = frame.find_sal().symtab
    return symtab is not None and os.path.dirname(symtab.fullname()) != emulator_folder()


def frames_of_thread():
    """The frames of the shown thread, else of the one that runs, from the innermost on."""
    frame = gdb.newest_frame()
    if shown.thread is not None:
        frame = frame.older()
    while frame is not None and "simt::launch<" not in (frame.name() or ""):
        yield frame
        frame = frame.older()


def select_kernel():
    for frame in frames_of_thread():
        if of_kernel(frame):
            frame.select()
            gdb.execute("frame")
            return
    raise gdb.GdbError("simt: this thread is not in a kernel's code")


def read_index(words):
    try:
        index = [int(word) for word in words.replace(",", " ").split()]
    except ValueError:
        index = []
    if not 1 <= len(index) <= 3:
        raise gdb.GdbError(f"simt thread: say which, as in `simt thread 3,0,0`, not {words!r}")
    index = tuple([*index, 0, 0][:3])
    if not all(0 <= i < size for i, size in zip(index, block_size())):
        raise gdb.GdbError(
            f"simt thread: {index_text(index)} is not in a block of {index_text(block_size())}"
        )
    return index


def show_thread(words):
    state = machine()
    index = read_index(words)
    thread = number_of(index)
    if thread == running(state):
        shown.forget()
        return select_kernel()
    if thread not in workers(state):
        what = "has returned" if thread in begun(state) else "has not begun"
        raise gdb.GdbError(f"simt thread: {index_text(index)} {what}; see `simt threads`")
    registers = workers(state)[thread]["fiber"]["own_"]
    architecture = gdb.selected_inferior().architecture().name()
    if architecture not in SAVED or registers.type.strip_typedefs().code != gdb.TYPE_CODE_PTR:
        raise gdb.GdbError(f"simt thread: not on {architecture} or with ucontext")
    shown.show(thread, int(registers))
    select_kernel()


# ---- simt shared ---------------------------------------------------------------------------------
def text_of(value):
    """A table has a line for each row."""
    kind = value.type.strip_typedefs()
    rows = kind.code == gdb.TYPE_CODE_ARRAY and kind.target().strip_typedefs()
    if not rows or rows.code != gdb.TYPE_CODE_ARRAY:
        return f" {value}"
    return "".join(f"\n  {value[i]}" for i in range(kind.range()[1] + 1))


def dynamic_array(state, value):
    """What a pointer to the dynamic shared memory points to, as an array; else None."""
    if value.type.strip_typedefs().code != gdb.TYPE_CODE_PTR or value.is_optimized_out:
        return None
    target = value.type.strip_typedefs().target()
    count = int(state["launch"]["shared_bytes"]) // max(target.sizeof, 1)
    if int(value) != int(state["shared"].address) or count == 0:
        return None
    return value.dereference().cast(target.array(count - 1))


def shared_arrays(state):
    """(name, value): static variables of functions of the kernel, and what DYNAMIC_SHARED made."""
    for frame in filter(of_kernel, frames_of_thread()):
        block = frame.block()
        while block is not None and not block.is_global and not block.is_static:
            for symbol in block:
                if not symbol.is_variable:
                    continue
                value = symbol.value(frame)
                if symbol.addr_class == gdb.SYMBOL_LOC_STATIC:
                    if "const" not in str(value.type):
                        yield symbol.name, value
                elif (array := dynamic_array(state, value)) is not None:
                    yield symbol.name, array
            block = None if block.function else block.superblock


def shared_text():
    state = machine()
    texts = []
    for name, value in shared_arrays(state):
        text = f"{value.type} {name} ={text_of(value)}"
        if text not in texts:
            texts.append(text)
    return "\n".join(texts) or "simt: the functions that this thread is in have no shared arrays"


# ---- commands ------------------------------------------------------------------------------------
class Simt(gdb.Command):
    """A kernel on the emulator: simt threads, simt thread 3,0,0, simt back, simt shared."""

    def __init__(self):
        super().__init__("simt", gdb.COMMAND_STACK)
        self.words = ["threads", "thread", "back", "shared"]

    def invoke(self, argument, from_tty):
        word, _, rest = argument.partition(" ")
        if word == "threads":
            print(threads_text())
        elif word == "thread":
            show_thread(rest)
        elif word == "back":
            if shown.thread is not None:
                shown.forget()
                select_kernel()
        elif word == "forget":  # back, and nothing is printed
            shown.forget()
        elif word == "shared":
            print(shared_text())
        else:
            raise gdb.GdbError("simt threads, simt thread 3,0,0, simt back or simt shared")

    def complete(self, text, word):
        return [w for w in self.words if w.startswith(word)]


Simt()
gdb.unwinder.register_unwinder(None, shown, replace=True)
gdb.frame_filters[without_first.name] = without_first
gdb.events.cont.connect(shown.forget)
gdb.events.exited.connect(shown.forget)
# These begin at the innermost frame, which must be the true one.
for word in ("step", "next", "stepi", "nexti", "until", "advance"):
    gdb.execute(f"define hook-{word}\nsimt forget\nend")
