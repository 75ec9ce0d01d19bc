"""Data that is bundled; data/README.md tells where it is from."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "data"
TRAIN = 1437


def digits(path: str | Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits in the file's order.

    images float32 (1797, 64), 8x8 pixels row by row, 0 (paper) to 1 (ink); labels int64 (1797,).
    """
    with gzip.open(path or FOLDER / "digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
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
