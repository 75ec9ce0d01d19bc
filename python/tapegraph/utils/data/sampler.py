"""In which order a dataset's items are taken: iterables over indices, and where chance comes from.

An order is drawn when an iterator is made, not when its first index is taken. So what is drawn
does not depend on which thread takes the index, or when.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

from ... import _C
from ..._C import Tensor

_WORD = 2**64


class Generator:
    """A source of orders that is two numbers: its seed, and how many draws it has made.

    Draw number n is a function of (seed, n), so the same state gives the same orders on every
    machine and with every version of NumPy: they are sorted from Philox's raw words, which never
    change. Apart from the default generator of tg.rand and tg.manual_seed.
    """

    def __init__(self, seed: int = 0) -> None:
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> Generator:
        """Starts anew. seed is an integer from -2**63 to 2**64 - 1, or ValueError."""
        seed = operator.index(seed)
        if not -(_WORD // 2) <= seed < _WORD:
            raise ValueError(f"Generator: the seed {seed} does not fit into 64 bits")
        self._seed, self._draws = seed % _WORD, 0
        return self

    def initial_seed(self) -> int:
        """The seed, from 0 to 2**64 - 1."""
        return self._seed

    def get_state(self) -> Tensor:
        """int64 (2,): the seed, and the draws made since. tg.save takes it as it is.

        Taken before an epoch, it gives that epoch's order again.
        """
        return _C.tensor(np.array([self._seed, self._draws], np.uint64).view(np.int64))

    def set_state(self, state: Tensor) -> None:
        """Goes on where get_state() was called; ValueError if state is not int64 (2,)."""
        if not isinstance(state, Tensor):
            raise TypeError(f"set_state: state must be a tensor, not {type(state).__name__}")
        if state.dtype != _C.int64 or tuple(state.shape) != (2,):
            raise ValueError(
                f"set_state: state is {state.dtype} {tuple(state.shape)}, but a generator's is "
                f"tapegraph.int64 (2,)"
            )
        self._seed, self._draws = (int(number) % _WORD for number in state.tolist())

    def words(self, n: int) -> np.ndarray:
        """One draw: n random words, uint64 (n,)."""
        counter = [0, 0, 0, self._draws]  # the first word counts on within a draw
        key = np.array([self._seed, 0], np.uint64)
        self._draws = (self._draws + 1) % _WORD
        return np.random.Philox(counter=np.array(counter, np.uint64), key=key).random_raw(n)

    def permutation(self, n: int) -> list[int]:
        """One draw: 0 to n - 1 in a random order, each order as likely as the others."""
        return np.argsort(self.words(n), kind="stable").tolist()

    def integers(self, high: int, n: int) -> list[int]:
        """One draw: n integers from 0 to high - 1, for high below 2**32.

        (word / 2**32) * high / 2**32 instead of word % high, which would favour small numbers more.
        """
        return ((self.words(n) >> np.uint64(32)) * np.uint64(high) >> np.uint64(32)).tolist()

    def __repr__(self) -> str:
        return f"Generator(seed={self._seed}, draws={self._draws})"


def as_generator(generator: Generator | int | None) -> Generator | None:
    """A seed becomes a generator; None stays."""
    if generator is None or isinstance(generator, Generator):
        return generator
    if isinstance(generator, (int, np.integer)) and not isinstance(generator, bool):
        return Generator(int(generator))
    raise TypeError(
        f"generator: must be a Generator, a seed or None, not {type(generator).__name__}"
    )


def chosen(generator: Generator | None) -> Generator:
    """The generator, or for None one whose seed is drawn from the default generator."""
    if generator is not None:
        return generator
    return Generator(int(float(_C.rand(1, dtype=_C.float64)[0]) * 2**53))


class Sampler:
    """An iterable over indices, or for a batch sampler over lists of them. Write __iter__."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__}: write an __iter__ function for it")


class SequentialSampler(Sampler):
    """0, 1, ... len(data_source) - 1."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """Every index once, in a new random order each time; or num_samples with replacement.

    Without replacement and with more num_samples than items, orders follow one another. generator
    is a Generator or a seed; without one, the order follows from tg.manual_seed.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | int | None = None,
    ) -> None:
        if num_samples is not None and (type(num_samples) is not int or num_samples <= 0):
            raise ValueError(
                f"RandomSampler: num_samples must be a positive integer, and is {num_samples!r}"
            )
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = as_generator(generator)

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, count = len(self.data_source), self.num_samples
        if n == 0:
            return iter([])
        generator = chosen(self.generator)
        if self.replacement:
            return iter(generator.integers(n, count))
        order: list[int] = []
        while len(order) < count:
            order += generator.permutation(n)[: count - len(order)]
        return iter(order)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """Each of the given indices once, in a new random order each time."""

    def __init__(self, indices: Sequence[int], generator: Generator | int | None = None) -> None:
        self.indices = indices
        self.generator = as_generator(generator)

    def __iter__(self) -> Iterator[int]:
        order = chosen(self.generator).permutation(len(self.indices))
        return iter([self.indices[i] for i in order])

    def __len__(self) -> int:
        return len(self.indices)


class BatchSampler(Sampler):
    """Lists of batch_size indices; the last is shorter, or left out with drop_last."""

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if type(batch_size) is not int or batch_size <= 0:
            raise ValueError(
                f"BatchSampler: batch_size must be a positive integer, and is {batch_size!r}"
            )
        if type(drop_last) is not bool:
            raise ValueError(f"BatchSampler: drop_last must be True or False, not {drop_last!r}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        return in_batches(iter(self.sampler), self.batch_size, self.drop_last)

    def __len__(self) -> int:
        return batch_count(len(self.sampler), self.batch_size, self.drop_last)  # type: ignore[arg-type]


def in_batches(items: Iterator[Any], size: int, drop_last: bool) -> Iterator[list[Any]]:
    """Lists of size items."""
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch and not drop_last:
        yield batch


def batch_count(items: int, size: int, drop_last: bool) -> int:
    return items // size if drop_last else -(-items // size)
