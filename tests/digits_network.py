"""A convolutional network on the bundled digits, for the tests and for the script that records
PyTorch's: whatever is called `nn` here may be tapegraph.nn or torch.nn. NumPy only."""

import csv
import gzip
from pathlib import Path

import numpy as np

DIGITS = Path(__file__).parents[1] / "python/tapegraph/data/digits.csv.gz"
TRAIN = 1437  # of 1,797 in the file's order: the rest are other writers' hands

# What test_digits_network.py and record_digits.py both do.
STEPS = 30
PARTS, PART = 2, 24  # batches whose gradients are added up for one step, and their size
ADAM = {"lr": 0.002, "weight_decay": 0.001}
SCHEDULE = {"max_lr": 0.01, "total_steps": STEPS}
LONGEST_GRADIENT = 1.0


def digits():
    """images float64 (1797, 1, 8, 8), labels int64 (1797,), in the file's order."""
    with gzip.open(DIGITS, "rt") as file:
        table = np.array([[float(v) for v in row] for row in csv.reader(file)])
    return table[:, :64].reshape(-1, 1, 8, 8) / 16, table[:, 64].astype(np.int64)


def network(nn, dropout=0.0):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(512, 10),
    )


def start(shape, k):
    """Weights of parameter k by a formula: spread evenly over (-b, b), b = sqrt(3 / fan in)."""
    count = int(np.prod(shape))
    i = np.arange(count, dtype=np.float64)
    even = (i * 0.6180339887498949 + 0.37 * k) % 1.0
    return ((2 * even - 1) * np.sqrt(3 * shape[0] / count)).reshape(shape)


def shifted(images, moves):
    """Each image (1, 8, 8) moved by 0, 1 or 2 rows and columns, less one, with paper around it."""
    room = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    pairs = zip(room, moves[:, 0], moves[:, 1])
    return np.stack([image[:, r : r + 8, c : c + 8] for image, r, c in pairs])


def recorded_batch(images, labels, step):
    """(PARTS, PART, 1, 8, 8) and (PARTS, PART): the same for everybody, without a generator."""
    i = np.arange(PARTS * PART) + step * PARTS * PART
    chosen = (i * 611) % TRAIN
    x = shifted(images[chosen], np.stack([i * 7 % 3, i * 5 // 3 % 3], 1))
    return x.reshape(PARTS, PART, 1, 8, 8), labels[chosen].reshape(PARTS, PART)
