"""What the bridges to MLX share. ``core`` is the module ``mlx.core``, which only they import."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def device_name(core: ModuleType) -> str:
    """Returns ``gpu`` or ``cpu``."""
    return "gpu" if core.default_device() == core.gpu else "cpu"


def threads_in_effect(core: ModuleType) -> dict[str, Any]:
    """Returns the setting ``threads`` as it is in effect.

    On a CPU MLX calculates one operation after the other in one thread of its own, and its Linux packages bring the
    reference BLAS, which has no threads. It cannot be told otherwise. On a GPU the number means nothing.
    """
    return {"threads": 1} if device_name(core) == "cpu" else {}
