"""Two networks that learn the next letter, of names and of plays, for the tests and for the script
that records PyTorch's: whatever is called `lib` here may be tapegraph or torch. NumPy only.

The letters: N the batch, L the length, V the kinds of letters.
"""

import gzip
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[1] / "python/tapegraph/data"
STEPS = 30  # that are recorded
LONGEST_GRADIENT = 1.0
IGNORED = -100  # the target behind a name's end: cross_entropy leaves it out


def start(name, shape, k):
    """Parameter k by a formula: spread evenly over (-b, b), b = sqrt(3 / fan in), or b = 0.1 for a
    vector, which in a norm's weight lies around 1."""
    i = np.arange(int(np.prod(shape)), dtype=np.float64)
    even = (i * 0.6180339887498949 + 0.37 * k) % 1.0
    bound = np.sqrt(3 / shape[-1]) if len(shape) > 1 else 0.1
    around = 1.0 if len(shape) == 1 and "norm" in name and name.endswith("weight") else 0.0
    return (around + (2 * even - 1) * bound).reshape(shape)


# ---- an LSTM that learns names ------------------------------------------------------------------

LONGEST = 12  # letters of the longest name, and its end
NAME_LETTERS = ".abcdefghijklmnopqrstuvwxyz"  # a point before the first letter and after the last
NAMES_BATCH = 32


def names():
    return (DATA / "names.txt").read_text().split()


def padded(chosen, length=LONGEST):
    """Letters (N, length) and the ones that follow: anna is .anna and anna., then padding."""
    x = np.zeros((len(chosen), length), np.int64)
    y = np.full((len(chosen), length), IGNORED)
    for row, name in enumerate(chosen):
        letters = [NAME_LETTERS.index(c) for c in name]
        x[row, 1 : len(name) + 1] = letters
        y[row, : len(name) + 1] = [*letters, 0]
    return x, y


def names_batch(known, step):
    """(1, N, L) twice: the same for everybody, without a generator."""
    i = np.arange(NAMES_BATCH) + step * NAMES_BATCH
    x, y = padded([known[k] for k in i * 611 % len(known)])
    return x[None], y[None]


def names_network(lib, dropout=0.0):
    nn = lib.nn

    class Names(nn.Module):
        def __init__(self):
            super().__init__()
            self.letters = nn.Embedding(len(NAME_LETTERS), 8)
            self.lstm = nn.LSTM(8, 24, num_layers=2, batch_first=True, dropout=dropout)
            self.next = nn.Linear(24, len(NAME_LETTERS))

        def forward(self, x):
            """x (N, L) -> logits (N, L, V)."""
            return self.follow(x, None)[0]

        def follow(self, x, state):
            y, state = self.lstm(self.letters(x), state)
            return self.next(y), state

    return Names()


def names_training(lib, model, steps):
    adam = lib.optim.Adam(model.parameters(), lr=0.02, weight_decay=1e-4)
    return adam, lib.optim.lr_scheduler.LinearLR(adam, 1.0, 0.1, steps)


# ---- a GPT that learns plays --------------------------------------------------------------------

WINDOW = 16
PARTS, PART = 2, 8  # batches whose gradients are added up for one step, and their size


def plays():
    """The text as numbers, and its letters: letters[number] is the letter."""
    text = gzip.decompress((DATA / "shakespeare.txt.gz").read_bytes()).decode("ascii")
    letters = sorted(set(text))
    return np.searchsorted(letters, list(text)), letters


def windows(text, begins):
    """begins (...) -> letters (..., WINDOW) and the ones that follow."""
    places = np.asarray(begins)[..., None] + np.arange(WINDOW)
    return text[places], text[places + 1]


def plays_batch(text, step):
    """(PARTS, PART, WINDOW) twice: the same for everybody, without a generator."""
    i = np.arange(PARTS * PART) + step * PARTS * PART
    return windows(text, (i * 7919 % (len(text) - WINDOW)).reshape(PARTS, PART))


def gpt(lib, kinds, dropout=0.0, size=32, heads=4, blocks=2):
    nn = lib.nn

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.letters = nn.Embedding(kinds, size)
            self.places = nn.Embedding(WINDOW, size)
            block = nn.TransformerEncoderLayer(
                size, heads, 2 * size, dropout, "gelu", batch_first=True, norm_first=True
            )
            self.blocks = nn.TransformerEncoder(
                block, blocks, nn.LayerNorm(size), enable_nested_tensor=False
            )
            self.next = nn.Linear(size, kinds, bias=False)
            self.next.weight = self.letters.weight  # one table, as in GPT-2
            future = lib.ones(WINDOW, WINDOW).triu(1).bool()
            self.register_buffer("future", future, persistent=False)

        def forward(self, x):
            """x (N, L), L up to WINDOW -> logits (N, L, V)."""
            length = x.shape[1]
            y = self.letters(x) + self.places(lib.arange(length))
            return self.next(self.blocks(y, mask=self.future[:length, :length]))

    return GPT()


def gpt_training(lib, model, steps):
    """Tables and matrices decay, vectors do not; the rate rises for steps / 10, and then falls."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    adam = lib.optim.AdamW(groups, lr=0.02, betas=(0.9, 0.95))
    schedules = lib.optim.lr_scheduler
    rise = schedules.LinearLR(adam, 0.1, 1.0, steps // 10)
    fall = schedules.CosineAnnealingLR(adam, steps - steps // 10, 0.002)
    return adam, schedules.SequentialLR(adam, [rise, fall], [steps // 10])
