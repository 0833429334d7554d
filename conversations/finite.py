"""JSON has no infinity and no "not a number"."""

from __future__ import annotations

import math
from typing import Any


def finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A value with null in the place of every number that JSON does not have.

    >>> finite({"low": float("-inf"), "turns": (1, 2.5)})
    {'low': None, 'turns': [1, 2.5]}
    """
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
