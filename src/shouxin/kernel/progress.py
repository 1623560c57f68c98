"""Progress: how far a long work has come, for whoever waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

# ``(done, total)`` of the same unit; a total of 0 is not known yet. It may be called as often as one likes.
Progress = Callable[[int, int], None]
# What a part of the work is called gives a block to do it in, with the progress of that part.
Bar = Callable[[str], AbstractContextManager[Progress]]


def counted_steps(progress: Progress, *, total: int) -> Iterator[int]:
    """Steps from 1 to ``total``; each tells ``progress`` when it is taken."""
    for done in range(1, total + 1):
        progress(done, total)
        yield done


def silent(_done: int, _total: int) -> None:
    """The progress where nobody waits."""


def silent_bar(_title: str) -> AbstractContextManager[Progress]:
    """The bar where nobody waits."""
    return nullcontext(silent)
