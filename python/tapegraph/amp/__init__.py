"""Mixed precision: autocast chooses the dtype of each op, GradScaler keeps small gradients alive.

scaler = tg.amp.GradScaler()                      # for float16; bfloat16 needs none
with tg.autocast("cpu", dtype=tg.float16):
    loss = loss_fn(model(x), y)
scaler.scale(loss).backward()
scaler.step(optimizer)
scaler.update()
"""

from __future__ import annotations

from .autocast import autocast, get_autocast_dtype, is_autocast_enabled
from .grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "get_autocast_dtype", "is_autocast_enabled"]
