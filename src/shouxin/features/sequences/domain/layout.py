"""How a sequence is written as one text, and read back as whole numbers.

A sequence is a value like any other: one text, kept with a decision as it was. It says which layout it was
written in (``s1:<tag>:``), then, for each event, oldest first, the same few letters of base 64 a field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.kernel import content_hash

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
BASE = len(ALPHABET)
_FORMAT = "s1"
_TAG_LENGTH = 12
_PLACES = np.full(256, -1, dtype=np.int16)
_PLACES[np.frombuffer(ALPHABET.encode(), dtype=np.uint8)] = np.arange(BASE)

Codes = npt.NDArray[np.int16]


class UnableToReadSequence(ValueError):
    """The text is not a sequence of this layout; the message says what is wrong."""


class SequenceField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field of every event: ``letters`` long; its number finds one of ``codes`` codes.

    With ``edges`` the number falls into the code ``k`` with ``edges[k-1] <= number < edges[k]``; without,
    the number is the code.
    """

    name: str
    codes: int
    letters: int = 1
    edges: tuple[int, ...] = ()


class SequenceLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """The fields of an event, in order, and how many events a sequence has at most.

    ``definition`` is the hash of what says where the fields come from: a sequence of another one is refused.
    """

    definition: str
    fields: tuple[SequenceField, ...]
    length: int

    @property
    def tag(self) -> str:
        """The layout's name in a text."""
        return content_hash(msgspec.to_builtins(self)).removeprefix("sha256:")[:_TAG_LENGTH]

    @property
    def letters(self) -> int:
        """How many letters an event takes."""
        return sum(field.letters for field in self.fields)

    @property
    def prefix(self) -> str:
        """What every text of this layout begins with."""
        return f"{_FORMAT}:{self.tag}:"

    def text(self, events: Iterable[Sequence[int]]) -> str:
        """The text of events, oldest first; an event is one whole number a field."""
        return self.prefix + "".join(self._spelt(numbers) for numbers in events)

    def numbers(self, value: str) -> list[list[int]]:
        """What ``text`` was given. Raises UnableToReadSequence."""
        whole = self._whole([value])
        count = self._count(value)
        return [
            [int(column[0, place]) for column in whole] for place in range(self.length - count, self.length)
        ]

    def codes(self, values: Sequence[str | None]) -> tuple[Codes, npt.NDArray[np.int64]]:
        """(rows, length, fields) codes, the last event at the end, and how many events each row has.

        A row without a sequence has none. Raises UnableToReadSequence.
        """
        whole = self._whole(values)
        codes = np.empty((len(values), self.length, len(self.fields)), dtype=np.int16)
        for place, (field, numbers) in enumerate(zip(self.fields, whole, strict=True)):
            binned = np.searchsorted(field.edges, numbers, side="right") if field.edges else numbers
            if len(binned) and binned.max() >= field.codes:
                raise UnableToReadSequence(f"a sequence has a {field.name} that its layout does not know")
            codes[:, :, place] = binned
        return codes, np.array([self._count(value) for value in values], dtype=np.int64)

    def _spelt(self, numbers: Sequence[int]) -> str:
        letters = []
        for field, number in zip(self.fields, numbers, strict=True):
            assert 0 <= number < BASE**field.letters, (field.name, number)
            letters += [ALPHABET[number // BASE**power % BASE] for power in reversed(range(field.letters))]
        return "".join(letters)

    def _count(self, value: str | None) -> int:
        return 0 if value is None else (len(value) - len(self.prefix)) // self.letters

    def _whole(self, values: Sequence[str | None]) -> list[npt.NDArray[np.int64]]:
        """One (rows, length) array of numbers a field; 0 where a row has no event."""
        size = self.length * self.letters
        filled = "".join(self._checked(value, size) for value in values)
        places = _PLACES[np.frombuffer(filled.encode("latin-1", "replace"), dtype=np.uint8)]
        if (places < 0).any():
            raise UnableToReadSequence("a sequence has a letter that no sequence has")
        cut = places.reshape(len(values), self.length, self.letters).astype(np.int64)
        found, begin = [], 0
        for field in self.fields:
            number = cut[:, :, begin]
            for more in range(begin + 1, begin + field.letters):
                number = number * BASE + cut[:, :, more]
            found.append(number)
            begin += field.letters
        return found

    def _checked(self, value: str | None, size: int) -> str:
        """The letters of a sequence, filled up from the left."""
        if value is None:
            return ALPHABET[0] * size
        letters = value.removeprefix(self.prefix)
        if len(letters) == len(value):
            raise UnableToReadSequence(
                f"the sequence does not begin with {self.prefix!r}: it has another layout"
            )
        if len(letters) > size or len(letters) % self.letters:
            raise UnableToReadSequence(
                f"the sequence is not {self.letters} letters an event, {self.length} at most"
            )
        return letters.rjust(size, ALPHABET[0])


def is_sequence(value: Any) -> bool:
    """Whether a text says of itself that it is a sequence."""
    return isinstance(value, str) and value.startswith(f"{_FORMAT}:")
