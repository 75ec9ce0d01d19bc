"""In which order a dataset's items are taken: iterables over indices, and where chance comes from.

An order is drawn when an iterator is made, not when its first index is taken. So what is drawn
does not depend on which thread takes the index, or when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

from ... import _C
from ..._C import Generator
from ..._errors import placed


def as_generator(generator: Generator | int | None) -> Generator | None:
    """A seed becomes a generator; None, which stands for the default one, stays."""
    if generator is None or isinstance(generator, Generator):
        return generator
    if isinstance(generator, (int, np.integer)) and not isinstance(generator, bool):
        return Generator().manual_seed(generator)
    raise placed(
        TypeError, f"generator: must be a Generator, a seed or None, not {type(generator).__name__}"
    )


def permutation(n: int, generator: Generator | None) -> list[int]:
    """0 to n - 1 in a random order."""
    return _C.randperm(n, generator=generator).tolist()


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
    is a tg.Generator or a seed; without one, the order follows from tg.manual_seed.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | int | None = None,
    ) -> None:
        if num_samples is not None and (type(num_samples) is not int or num_samples <= 0):
            raise placed(
                ValueError,
                f"RandomSampler: num_samples must be a positive integer, and is {num_samples!r}",
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
        if self.replacement:
            return iter(_C.randint(n, (count,), generator=self.generator).tolist())
        order: list[int] = []
        while len(order) < count:
            order += permutation(n, self.generator)[: count - len(order)]
        return iter(order)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """Each of the given indices once, in a new random order each time."""

    def __init__(self, indices: Sequence[int], generator: Generator | int | None = None) -> None:
        self.indices = indices
        self.generator = as_generator(generator)

    def __iter__(self) -> Iterator[int]:
        order = permutation(len(self.indices), self.generator)
        return iter([self.indices[i] for i in order])

    def __len__(self) -> int:
        return len(self.indices)


class BatchSampler(Sampler):
    """Lists of batch_size indices; the last is shorter, or left out with drop_last."""

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if type(batch_size) is not int or batch_size <= 0:
            raise placed(
                ValueError,
                f"BatchSampler: batch_size must be a positive integer, and is {batch_size!r}",
            )
        if type(drop_last) is not bool:
            raise placed(
                ValueError, f"BatchSampler: drop_last must be True or False, not {drop_last!r}"
            )
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
