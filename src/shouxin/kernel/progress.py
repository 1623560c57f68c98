"""Progress: how far a long work has come, for whoever waits."""

from __future__ import annotations

from collections.abc import Callable

# ``(done, total)`` of the same unit; a total of 0 is not known yet. It may be called as often as one likes.
Progress = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """The progress where nobody waits."""
