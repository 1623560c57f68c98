"""A blob: an array of whole numbers inside the one JSON document.

Large weights would be unreadable as lists of digits and several times as long. The bytes are
little-endian, so every machine reads the same numbers.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from functools import cached_property
from math import prod
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt


class Blob(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """``data`` is base64 of the array's little-endian bytes, row by row."""

    shape: tuple[int, ...]
    dtype: Literal["<i2", "<i4", "<i8"]
    data: str

    @classmethod
    def of(cls, array: npt.NDArray[Any]) -> Blob:
        """The whole numbers of ``array`` in the narrowest type that holds them."""
        whole = np.rint(array).astype(np.int64)
        highest = int(np.abs(whole).max(initial=0))
        dtype: Literal["<i2", "<i4", "<i8"] = (
            "<i2" if highest < 2**15 else "<i4" if highest < 2**31 else "<i8"
        )
        return cls(
            whole.shape, dtype, b64encode(np.ascontiguousarray(whole.astype(dtype)).tobytes()).decode()
        )

    @cached_property
    def array(self) -> npt.NDArray[np.float64]:
        """The numbers, as float64: every one of them is whole."""
        return np.frombuffer(b64decode(self.data), dtype=self.dtype).reshape(self.shape).astype(np.float64)

    @property
    def problem(self) -> str | None:
        """What keeps it from being an array, or None."""
        try:
            size = len(b64decode(self.data, validate=True))
        except (binascii.Error, ValueError):
            return "the data is not base64"
        if min(self.shape, default=0) < 0 or prod(self.shape) * int(self.dtype[-1]) != size:
            return f"{size} bytes are not an array of {self.shape}"
        return None
