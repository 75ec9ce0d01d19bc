"""Data that is bundled, and where data that is not is read; data/README.md tells the sources."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from .utils.readers import FilePath, read_csv, read_idx, read_npy, read_npz, read_text

__all__ = [
    "digits",
    "fashion_mnist",
    "names",
    "read_csv",
    "read_idx",
    "read_npy",
    "read_npz",
    "read_text",
    "shakespeare",
    "split_digits",
]

FOLDER = Path(__file__).parent / "data"
TRAIN = 1437
FASHION_MNIST = (  # where Debian's package puts it, and a folder of the package's name
    Path("/usr/share/datasets/fashion-mnist"),
    Path("/usr/share/dataset-fashion-mnist"),
)


def digits(path: FilePath | None = None) -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits in the file's order.

    images float32 (1797, 64), 8x8 pixels row by row, 0 (paper) to 1 (ink); labels int64 (1797,).
    """
    table = read_csv(path or FOLDER / "digits.csv.gz")
    if table.shape[1] != 65:
        raise ValueError(f"digits: a row has 64 pixels and a label, not {table.shape[1]} numbers")
    return np.ascontiguousarray(table[:, :64] / 16), table[:, 64].astype(np.int64)


def split_digits(
    seed: int = 0,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """(images, labels) to train on, 1,437, and to test on, 360: shuffled by the seed, then cut.

    The file's last digits come from other writers, and so does a test set that is not shuffled.
    """
    images, labels = digits()
    order = np.random.default_rng(seed).permutation(len(labels))
    train, test = order[:TRAIN], order[TRAIN:]
    return (images[train], labels[train]), (images[test], labels[test])


def names(path: FilePath | None = None) -> list[str]:
    """5,163 first names of the 1990 US census, lower case, sorted."""
    return read_text(path or FOLDER / "names.txt").split()


def shakespeare(path: FilePath | None = None) -> str:
    """Six plays by Shakespeare: 730,042 characters of plain ASCII."""
    return read_text(path or FOLDER / "shakespeare.txt.gz", "ascii")


def fashion_mnist(
    folder: FilePath | None = None, train: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """60,000 pictures of clothes to train on, or with train=False 10,000 to test on.

    images uint8 (n, 28, 28), 0 (background) to 255; labels int64 (n,), 0 to 9. Not bundled: folder
    holds its four IDX files, gzipped or not; without one, Debian's package is looked for. Raises
    FileNotFoundError that says how to get it, or ValueError if the files do not fit each other.
    """
    places = FASHION_MNIST if folder is None else (Path(folder),)
    part = "train" if train else "t10k"
    images = read_idx(_fashion_file(places, f"{part}-images-idx3-ubyte"))
    labels = read_idx(_fashion_file(places, f"{part}-labels-idx1-ubyte"))
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise ValueError(
            f"fashion_mnist: the images are {images.dtype} {images.shape}, and should be uint8 "
            f"(n, 28, 28)"
        )
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"fashion_mnist: there are {len(images)} images, but the labels are {labels.dtype} "
            f"{labels.shape}"
        )
    return images, labels.astype(np.int64)


def _fashion_file(places: tuple[Path, ...], name: str) -> Path:
    for folder in places:
        for found in (folder / name, folder / f"{name}.gz"):
            if found.is_file():
                return found
    raise FileNotFoundError(
        f"fashion_mnist: there is no {name} or {name}.gz in "
        f"{' or '.join(map(os.fspath, places))}; on Debian or Ubuntu, run  apt-get install "
        f"dataset-fashion-mnist;  elsewhere, give the folder that holds the four files of "
        f"github.com/zalandoresearch/fashion-mnist"
    )
