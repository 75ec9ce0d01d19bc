"""Datasets: something with a length that is indexed, or something that is iterated over."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..._C import Generator, Tensor
from ..._errors import placed
from .sampler import as_generator, permutation


class Dataset:
    """Items by index: write __getitem__, and __len__. `a + b` is one dataset after the other.

    A DataLoader with workers calls __getitem__ from several threads at once.
    """

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: write a __getitem__ function for it")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Items one after the other, for data without an index: write __iter__."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__}: write an __iter__ function for it")


class TensorDataset(Dataset):
    """Item i is (tensors[0][i], tensors[1][i], ...).

    tensors are (n, ...) each, of any dtypes. Raises TypeError for anything else, ValueError if
    their first sizes differ or one has no dims.
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors:
            raise placed(ValueError, "TensorDataset: there is no tensor")
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise placed(
                    TypeError,
                    f"TensorDataset: argument {i} is a {type(tensor).__name__} and not a tensor; "
                    f"tg.tensor makes one of it",
                )
            if tensor.ndim == 0:
                raise placed(
                    ValueError, f"TensorDataset: tensor {i} has no dims, so it has no items"
                )
            if tensor.shape[0] != tensors[0].shape[0]:
                raise placed(
                    ValueError,
                    f"TensorDataset: tensor 0 {tuple(tensors[0].shape)} has "
                    f"{tensors[0].shape[0]} items, but tensor {i} {tuple(tensor.shape)} has "
                    f"{tensor.shape[0]}",
                )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class Subset(Dataset):
    """The items of dataset at indices, in their order."""

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """Datasets with a length, one after the other."""

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise placed(ValueError, "ConcatDataset: there is no dataset")
        self.cumulative_sizes: list[int] = []
        total = 0
        for i, dataset in enumerate(self.datasets):
            if isinstance(dataset, IterableDataset):
                raise placed(
                    TypeError,
                    f"ConcatDataset: dataset {i} is an IterableDataset, which has no indices",
                )
            total += len(dataset)  # type: ignore[arg-type]
            self.cumulative_sizes.append(total)

    def __getitem__(self, index: int) -> Any:
        n = len(self)
        if not -n <= index < n:
            raise placed(IndexError, f"ConcatDataset: index {index} is out of range for {n} items")
        index %= n
        which = bisect.bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - before]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def random_split(
    dataset: Dataset,
    lengths: Sequence[float],
    generator: Generator | int | None = None,
) -> list[Subset]:
    """Cuts dataset into subsets of these lengths, after shuffling its indices.

    lengths sum to len(dataset); or they are fractions that sum to 1, each rounded down, what is
    left over going to the first ones, one item each. The same generator state or seed gives the
    same subsets; without one they follow from tg.manual_seed. Raises ValueError if the sum is
    neither.
    """
    n = len(dataset)  # type: ignore[arg-type]
    sizes = _sizes(lengths, n)
    order = permutation(n, as_generator(generator))
    parts, begin = [], 0
    for size in sizes:
        parts.append(Subset(dataset, order[begin : begin + size]))
        begin += size
    return parts


def _sizes(lengths: Sequence[float], n: int) -> list[int]:
    if any(not length >= 0 for length in lengths):
        raise placed(ValueError, f"random_split: a length is negative in {list(lengths)}")
    if any(length % 1 != 0 for length in lengths) or (sum(lengths) == 1 != n):
        if not math.isclose(sum(lengths), 1):
            raise placed(
                ValueError,
                f"random_split: the fractions {list(lengths)} sum to {sum(lengths):.6g} and not "
                f"to 1",
            )
        sizes = [int(n * length) for length in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        return sizes
    if sum(lengths) != n:
        raise placed(
            ValueError,
            f"random_split: the lengths {list(lengths)} sum to {int(sum(lengths))}, but the "
            f"dataset has {n} items",
        )
    return [int(length) for length in lengths]
