"""One ahead: order, errors where their item was due, and never more than one piece of work ready."""

import threading

import pytest

from shouxin.ingestion.ahead import one_ahead


def test_items_come_in_their_order_with_what_was_made_of_them():
    assert list(one_ahead(range(5), lambda n: n * n)) == [(0, 0), (1, 1), (2, 4), (3, 9), (4, 16)]
    assert list(one_ahead([], str)) == []


def test_the_next_one_is_made_while_this_one_is_used_and_no_other():
    made, second_made = [], threading.Event()

    def prepare(item):
        made.append(item)
        if item == 1:
            second_made.set()
        return item

    work = one_ahead(range(9), prepare)
    next(work)
    assert second_made.wait(10), "the second item is made although nobody asked for it"
    work.close()  # waits for what is in work
    assert made == [0, 1]


def test_an_error_is_raised_where_its_item_was_due():
    def items():
        yield 1
        yield 2
        raise OSError("the disk went")

    seen = []
    with pytest.raises(OSError, match="the disk went"):
        for item, _ in one_ahead(items(), str):
            seen.append(item)
    assert seen == [1, 2]


def test_an_error_of_the_one_who_uses_it_stops_the_work():
    drawn = []
    with pytest.raises(KeyError):
        for item, _ in one_ahead(iter(range(100)), drawn.append):
            raise KeyError(item)
    assert drawn in ([0], [0, 1])
