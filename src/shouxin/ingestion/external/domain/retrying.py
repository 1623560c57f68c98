"""How long to wait between attempts: longer each time, and never all callers at the same moment."""

from __future__ import annotations

from datetime import timedelta

from shouxin.ingestion.external.domain.answers import CallFailure
from shouxin.ingestion.external.domain.products import Product

_FIRST_WAIT = timedelta(milliseconds=200)
_WAIT_MAX = timedelta(seconds=5)


def wait_before(attempt: int, *, failure: CallFailure, jitter: float) -> timedelta:
    """The wait before ``attempt`` (2 is the first retry): doubled each time, half of it by lot.

    ``jitter`` is random, 0 to 1. Where the provider names a longer wait, that one counts, up to five seconds.
    """
    assert attempt >= 2 and 0.0 <= jitter <= 1.0
    doubled: timedelta = min(_FIRST_WAIT * float(2 ** (attempt - 2)), _WAIT_MAX)
    own = doubled * (0.5 + 0.5 * jitter)
    return min(max(own, failure.retry_after or own), _WAIT_MAX)


def longest(product: Product) -> timedelta:
    """The most time that one enquiry of a product takes, every retry and wait in it."""
    return product.timeout * (product.retries + 1) + _WAIT_MAX * product.retries
