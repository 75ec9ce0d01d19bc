"""Files of numbers and text into NumPy arrays: IDX, CSV, .npy, .npz and text, each also gzipped.

A file is believed only as far as it reaches: what its head promises is compared with what is there
before anything of that size is allocated. A file that is truncated, too long or of another kind
raises ValueError with the file's name and the two numbers that clash.
"""

from __future__ import annotations

import csv
import errno
import gzip
import io
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Union

import numpy as np

FilePath = Union[str, "os.PathLike[str]"]
_CHUNK = 1 << 20
_IDX_DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: FilePath) -> np.ndarray:
    """An IDX file, as MNIST has them, also gzipped: an array of its shape, in its dtype.

    The dtype is uint8, int8, int16, int32, float32 or float64.
    """
    with _opened(path, "read_idx") as (file, name):
        head = _exactly(file, 4, name, "the head")
        code, dims = head[2], head[3]
        if head[:2] != b"\0\0" or code not in _IDX_DTYPES:
            raise ValueError(f"{name}: is no IDX file; it begins with the bytes {head.hex(' ')}")
        shape = struct.unpack(f">{dims}I", _exactly(file, 4 * dims, name, "the sizes"))
        dtype = np.dtype(_IDX_DTYPES[code])
        content = _content(file, shape, dtype, name)
        _ended(file, name)
    return content.astype(dtype.newbyteorder("="), copy=False)


def read_csv(
    path: FilePath, dtype: Any = np.float32, delimiter: str = ",", header: bool = False
) -> np.ndarray:
    """Numbers, one row a line, also gzipped: an array (rows, columns) of dtype.

    header skips the first line. Empty lines are passed over. Raises ValueError with the line, and
    the column, where a row has another number of columns than the first, or an entry is no number
    of this dtype.
    """
    kind = np.dtype(dtype)
    values: list[Any] = []
    columns, first = 0, 0
    with _opened(path, "read_csv") as (file, name):
        rows = csv.reader(io.StringIO(_text(file, "utf-8-sig", name)), delimiter=delimiter)
        try:
            for i, row in enumerate(rows):
                if not row or (header and i == 0):
                    continue
                line = rows.line_num
                if columns == 0:
                    columns, first = len(row), line
                if len(row) != columns:
                    raise ValueError(
                        f"{name}: line {line} has {len(row)} columns, but line {first} has "
                        f"{columns}"
                    )
                for j, entry in enumerate(row):
                    try:
                        values.append(_number(entry, kind))
                    except ValueError as error:
                        raise ValueError(
                            f"{name}: line {line}, column {j + 1}: {entry[:40]!r} {error}"
                        ) from None
        except csv.Error as error:
            raise ValueError(f"{name}: line {rows.line_num}: {error}") from None
    return np.array(values, kind).reshape(len(values) // columns if columns else 0, columns)


def read_npy(path: FilePath) -> np.ndarray:
    """An array that np.save wrote, also gzipped. Arrays of Python objects, which need pickle, and
    structured ones raise ValueError."""
    with _opened(path, "read_npy") as (file, name):
        array = _npy(file, name)
        _ended(file, name)
    return array


def read_npz(path: FilePath) -> dict[str, np.ndarray]:
    """The arrays that np.savez or np.savez_compressed wrote, by their names."""
    name = f"read_npz: {os.fsdecode(path)}"
    arrays: dict[str, np.ndarray] = {}
    with _plain(path, name) as file, _errors_of_archives(name):
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                key = member.filename[:-4]
                if not member.filename.endswith(".npy") or key in arrays:
                    fault = "is there twice" if key in arrays else "is no .npy file"
                    raise ValueError(f"{name}: the entry {member.filename!r} {fault}")
                with archive.open(member) as part:
                    where = f"{name}: {member.filename}"
                    arrays[key] = _npy(part, where)
                    _ended(part, where)  # where the archive's checksum is looked at
    return arrays


def read_text(path: FilePath, encoding: str = "utf-8") -> str:
    """A text file, also gzipped, with each end of line as \\n. ValueError names the line, and the
    first byte that is not of this encoding."""
    with _opened(path, "read_text") as (file, name):
        return _text(file, encoding, name)


# ---- what they share ----------------------------------------------------------------------------


@contextmanager
def _plain(path: FilePath, name: str) -> Iterator[IO[bytes]]:
    try:
        file = open(path, "rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: there is no such file") from None
    with file:
        yield file


@contextmanager
def _opened(path: FilePath, what: str) -> Iterator[tuple[IO[bytes], str]]:
    """The file, unpacked if its first bytes are gzip's, and how errors call it."""
    name = f"{what}: {os.fsdecode(path)}"
    with _plain(path, name) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        with _errors_of_archives(name):
            yield (gzip.GzipFile(fileobj=file) if packed else file), name  # type: ignore[misc]


@contextmanager
def _errors_of_archives(name: str) -> Iterator[None]:
    """What gzip and zipfile raise for a bad file, as ValueError."""
    try:
        yield
    except EOFError:
        raise ValueError(f"{name}: is truncated: the packed data stops in the middle") from None
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{name}: is damaged: {error}") from None
    except (NotImplementedError, RuntimeError) as error:  # encrypted, or packed in another way
        raise ValueError(f"{name}: cannot be unpacked: {error}") from None
    except (OSError, OverflowError, AssertionError, struct.error) as error:
        # What zipfile meets where an archive names places outside of itself.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise ValueError(f"{name}: is damaged: {error}") from None


def _text(file: IO[bytes], encoding: str, name: str) -> str:
    data = file.read()
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{name}: is no {encoding} text: line {line} has a byte {data[error.start]:#04x} "
            f"({error.start:,} bytes into the file)"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(text: str, dtype: np.dtype) -> float:
    """The text as a number; ValueError says what else it is."""
    whole = dtype.kind in "iu"
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        raise ValueError(f"is no {'integer' if whole else 'number'}") from None
    if "_" in text:  # Python would read 1_000
        raise ValueError(f"is no {'integer' if whole else 'number'}")
    if whole and not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
        raise ValueError(f"does not fit into {dtype}")
    return value


def _exactly(file: IO[bytes], count: int, name: str, what: str) -> bytearray:
    """count bytes, read bit by bit, so that memory grows only with what is there."""
    data = bytearray()
    while len(data) < count:
        piece = file.read(min(count - len(data), _CHUNK))
        if not piece:
            raise ValueError(
                f"{name}: is truncated: {what} takes {count:,} bytes, and there are {len(data):,}"
            )
        data += piece
    return data


def _ended(file: IO[bytes], name: str) -> None:
    if file.read(1):
        raise ValueError(f"{name}: goes on after the data that its head promises")


def _content(
    file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype, name: str, order: str = "C"
) -> np.ndarray:
    what = f"an array {tuple(shape)} of {dtype.newbyteorder('=')}"
    data = _exactly(file, math.prod(shape) * dtype.itemsize, name, what)
    try:
        return np.frombuffer(data, dtype).reshape(shape, order=order)  # type: ignore[call-overload]
    except ValueError as error:  # more dims than NumPy has, or an empty array with a huge size
        raise ValueError(f"{name}: {what} cannot be: {error}") from None


def _npy(file: IO[bytes], name: str) -> np.ndarray:
    form = np.lib.format
    start = io.BytesIO(bytes(_exactly(file, form.MAGIC_LEN, name, "the head")))
    try:
        version = form.read_magic(start)
    except ValueError:
        raise ValueError(f"{name}: is no .npy file; it begins with {start.getvalue()!r}") from None
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{name}: has the version {version}; 1.0 and 2.0 can be read")
    digits = "<H" if version == (1, 0) else "<I"
    length = bytes(_exactly(file, struct.calcsize(digits), name, "the head's length"))
    head = bytes(_exactly(file, struct.unpack(digits, length)[0], name, "the head"))
    read = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
    try:
        shape, fortran, dtype = read(io.BytesIO(length + head))
    except Exception as error:  # it evaluates the head as Python, and says so in many ways
        raise ValueError(f"{name}: the head is damaged: {error}") from None
    if dtype.kind not in "biuf":
        raise ValueError(
            f"{name}: holds {'Python objects' if dtype.hasobject else dtype}; only arrays of "
            f"numbers are read"
        )
    if any(size < 0 for size in shape):
        raise ValueError(f"{name}: the head has a negative size: {shape}")
    array = _content(file, shape, dtype, name, "F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)
