"""Datasets and loaders are in utils.data; the files they are read from, in utils.readers.

utils.checkpoint trades time for memory.
"""

from . import checkpoint, data

__all__ = ["checkpoint", "data"]
