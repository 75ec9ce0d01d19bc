"""save and load: tensors, and whatever holds them, in one safetensors file and without pickle.

A file is 8 bytes, the length of the header as a little-endian number; the header, JSON that gives
each tensor's dtype, shape and place; and the tensors' raw bytes. A plain dict of tensors is just
that, and every reader of safetensors can read it. Anything else has its structure beside them, as
JSON in the header's metadata. [https://github.com/huggingface/safetensors]
"""

from __future__ import annotations

import io
import os
import stat
from contextlib import nullcontext
from typing import IO, Any

import numpy as np

from ..plain_arrays import tensor_of
from .nested import put_together, taken_apart
from .replacing import FilePath, Replacing
from .safetensors import (
    CHECKSUM,
    STRUCTURE,
    Entry,
    bytes_of,
    check_layout,
    checksum,
    exactly,
    header,
    length_of_header,
    parsed_header,
    read_arrays,
)


def save(obj: Any, path: FilePath | IO[bytes]) -> None:
    """Writes obj to path: a dict of tensors, or dicts, lists and tuples of tensors, numbers,
    strings, bools and None, up to 64 deep.

        tg.save(model.state_dict(), "weights.safetensors")
        tg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                 "generator": generator.get_state(), "step": 10}, "checkpoint.safetensors")

    A dict of tensors by name is plain safetensors. In all else a tensor that is there several
    times is written once. Tensors are of any dtype that there is, of any
    shape, from any device. Gradients, and whether one is required, are not saved.

    What was at path stays whole until the new file is: it is written beside it, forced to the
    disk, and renamed; a crash leaves the old file or the new one, and at worst a file
    .tapegraph-*.tmp, which can be deleted. Raises TypeError or ValueError, with the place in obj,
    for what cannot be saved; then nothing is written. path may also be a file that is open for
    writing bytes, as io.BytesIO(); then that is written to, and nothing is renamed.
    """
    tensors, structure = taken_apart(obj)
    codes, arrays = {}, {}
    for name, tensor in tensors.items():
        codes[name], arrays[name] = bytes_of(tensor, name)
    # Large elements first, so that all begin at a multiple of their size.
    order = sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)
    places, end = {}, 0
    for name in order:
        begin, end = end, end + arrays[name].nbytes
        places[name] = (begin, end)
    entries = {name: Entry(codes[name], a.shape, *places[name]) for name, a in arrays.items()}
    meta = {CHECKSUM: checksum(structure, entries, arrays)}
    if structure is not None:
        meta[STRUCTURE] = structure
    head = header(meta, entries)
    with nullcontext(path) if hasattr(path, "write") else Replacing(path) as file:
        file.write(len(head).to_bytes(8, "little"))
        file.write(head)
        for name in order:
            file.write(arrays[name].reshape(-1).view(np.uint8))


def load(path: FilePath | IO[bytes], map_location: Any = None, *, weights_only: bool = True) -> Any:
    """What was saved at path: the same structure, with new tensors that require no gradient.

    path may also be a file that is open for reading bytes, which is read to its end. A safetensors
    file of another program gives a dict of its tensors by name. The tensors are on
    the CPU, or on the device map_location. A tensor that was saved in several places is one again.

    Nothing in the file is run, so weights_only, which is PyTorch's, changes nothing. No more memory
    is taken than the file has bytes, times a small number for the header. Raises ValueError, with
    the place, for a file that is damaged, truncated or made to harm; a file of save() has a
    checksum, so that no damage goes unseen.
    """
    if hasattr(path, "read"):
        data = path.read()
        if not isinstance(data, bytes):
            raise TypeError("load: the file is open for text; open it for bytes, as by 'rb'")
        return _guarded(io.BytesIO(data), len(data), map_location, "load: the open file")
    name = f"load: {os.fsdecode(path)}"
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: there is no such file") from None
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for a writer
        raise ValueError(f"{name}: is no ordinary file")
    with open(path, "rb") as file:
        return _guarded(file, os.fstat(file.fileno()).st_size, map_location, name)


def _guarded(file: IO[bytes], size: int, device: Any, name: str) -> Any:
    try:
        return _loaded(file, size, device, name)
    except RecursionError:  # by brackets in brackets, in the header or the structure
        raise ValueError(f"{name}: is nested too deep") from None


def _loaded(file: IO[bytes], size: int, device: Any, name: str) -> Any:
    length = length_of_header(file, size, name)
    meta, entries = parsed_header(exactly(file, length, name), name)
    check_layout(entries, size - 8 - length, name)
    arrays = read_arrays(file, entries, name)
    structure = meta.get(STRUCTURE)
    if structure is not None and CHECKSUM not in meta:
        raise ValueError(f"{name}: is damaged: it has a structure, but no checksum")
    if CHECKSUM in meta:
        found = checksum(structure, entries, arrays)
        if found != meta[CHECKSUM]:
            raise ValueError(
                f"{name}: is damaged: its checksum is {found}, and {meta[CHECKSUM]!r} when it was "
                f"saved"
            )
    tensors = {key: tensor_of(array, device) for key, array in arrays.items()}
    return tensors if structure is None else put_together(structure, tensors, name)
