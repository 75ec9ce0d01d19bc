"""A file that takes the place of another only when it is whole."""

from __future__ import annotations

import os
import stat
from typing import IO, Union

FilePath = Union[str, "os.PathLike[str]"]


class Replacing:
    """`with Replacing(path) as file`: what is written is at path if the block ends well, all at
    once and on the disk; if not, path is as it was."""

    def __init__(self, path: FilePath) -> None:
        self.path = os.path.realpath(os.fsdecode(path))  # a link stays a link
        self.folder = os.path.dirname(self.path)
        self.beside = os.path.join(self.folder, f".tapegraph-{os.urandom(8).hex()}.tmp")

    def __enter__(self) -> IO[bytes]:
        if os.path.isdir(self.path):
            raise IsADirectoryError(f"save: {self.path} is a folder")
        try:
            self.file = open(self.beside, "xb")
        except FileNotFoundError:
            text = f"save: there is no folder {self.folder}"
            raise FileNotFoundError(text) from None
        if os.path.exists(self.path):
            os.chmod(self.beside, stat.S_IMODE(os.stat(self.path).st_mode))
        return self.file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with self.file:
                if kind is None:
                    self.file.flush()
                    os.fsync(self.file.fileno())
            if kind is None:
                os.replace(self.beside, self.path)
        finally:
            if os.path.lexists(self.beside):
                os.unlink(self.beside)
        if kind is None and os.name == "posix":  # elsewhere a folder cannot be opened
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)  # without it a crash may take the new name back
            finally:
                os.close(folder)
