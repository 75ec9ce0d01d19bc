"""Linear algebra, named as in torch.linalg."""

from ._C import _vector_norm as vector_norm

__all__ = ["vector_norm"]
