"""Datasets and loaders are in utils.data; the files they are read from, in utils.readers."""

from . import data

__all__ = ["data"]
