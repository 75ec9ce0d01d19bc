"""Datasets, samplers and DataLoader, under PyTorch's names.

    pairs = TensorDataset(images, labels)
    for x, y in DataLoader(pairs, batch_size=32, shuffle=True, generator=tg.Generator()):
        ...

Read dataset.py (what there is), sampler.py (in which order), collate.py (items to a batch) and
loader.py (who fetches it).
"""

from .collate import default_collate, default_convert
from .dataset import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)
from .loader import DataLoader
from .sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "default_collate",
    "default_convert",
    "random_split",
]
