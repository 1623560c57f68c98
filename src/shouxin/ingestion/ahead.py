"""Ahead: the next piece of work is prepared in one other thread while the one before is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def one_ahead(items: Iterable[Item], prepare: Callable[[Item], Made]) -> Iterator[tuple[Item, Made]]:
    """Each item, in order, with what ``prepare`` makes of it; never more than one is ready beforehand.

    ``items`` are drawn in the other thread too, and an error of theirs is raised where its item was due.
    """
    source = iter(items)

    def draw() -> tuple[Item, Made] | None:
        for item in source:
            return item, prepare(item)
        return None

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as other:
        waiting = other.submit(draw)
        while (found := waiting.result()) is not None:
            waiting = other.submit(draw)
            yield found
