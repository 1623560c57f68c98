"""Sizes: how much a benchmark does. Tests run the same code tiny."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; ``others`` lets other people's libraries run beside us where installed."""

    customers: int = 20_000  # of the simulated shop whose events are loaded and counted
    copies: int = 1  # of that shop side by side, each with customers of its own
    shop_customers: int = 2_500  # of the shop that is lived through the whole chain for the checkout
    events: int = 400_000  # loaded from files
    rows: int = 1_000_000  # scored at once
    binned_rows: int = 150_000
    variables: int = 10
    decisions: int = 3_000
    seconds: float = 10.0  # of each stretch of load
    rate: int = 200  # checkouts a second, whether or not the ones before were answered
    callers: int = 64  # at once on one line
    pages: int = 40  # times each page is opened
    repeats: int = 3
    others: bool = False
    set_name: str = "taiwan"  # of the models: a public set in the folder ``data``
    data: Path | None = None
    learners: tuple[str, ...] = ()  # all that are installed
    folds: int = 5
    trials: int = 0  # settings tried for each learner in every fold
