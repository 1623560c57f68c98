"""Load: checkouts as fast as they are answered, at a steady rate, and many at once on one line."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shouxin.entrypoints.bench.serving import Caller
from shouxin.kernel import Money


@dataclass(slots=True)
class Answers:
    """What came back: seconds of each call, outcomes, and how long the whole stretch took."""

    seconds: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    lasted: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.lasted


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where to call and with which key, and the customers who come, in turn."""

    port: int
    key: str
    references: Sequence[str]
    amount: Money

    def question(self, number: int) -> dict[str, Any]:
        """The n-th order."""
        amount = {"value": self.amount.text, "currency": self.amount.currency}
        return {
            "decision_point": "checkout",
            "customer_ref": self.references[number % len(self.references)],
            "request": {"order_id": f"B{number}", "amount": amount, "plan": "pay_in_3"},
            "dry_run": False,
        }


def as_fast_as_answered(checkout: Checkout, *, callers: int, seconds: float) -> Answers:
    """Each caller asks again as soon as it is answered."""

    async def stretch() -> Answers:
        lines = await _connected(checkout, callers)
        answers, numbers = Answers(), iter(range(10**9))
        started = time.perf_counter()

        async def keep_asking(caller: Caller) -> None:
            while time.perf_counter() - started < seconds:
                await _ask(caller, checkout, next(numbers), answers, since=time.perf_counter())

        await asyncio.gather(*(keep_asking(caller) for caller in lines))
        answers.lasted = time.perf_counter() - started
        _hang_up(lines)
        return answers

    return asyncio.run(stretch())


def at_a_rate(checkout: Checkout, *, rate: int, callers: int, seconds: float) -> Answers:
    """``rate`` questions a second whether or not earlier ones were answered.

    A call is timed from when it was due, so waiting for a free connection counts.
    """

    async def stretch() -> Answers:
        lines = await _connected(checkout, callers)
        free: asyncio.Queue[Caller] = asyncio.Queue()
        for caller in lines:
            free.put_nowait(caller)
        answers = Answers()
        started = time.perf_counter()

        async def one(number: int) -> None:
            due = started + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            caller = await free.get()
            await _ask(caller, checkout, number, answers, since=due)
            free.put_nowait(caller)

        await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
        answers.lasted = time.perf_counter() - started
        _hang_up(lines)
        return answers

    return asyncio.run(stretch())


def all_at_once(checkout: Checkout, *, callers: int) -> Answers:
    """Every caller asks one question at the same moment."""

    async def stretch() -> Answers:
        lines = await _connected(checkout, callers)
        answers, started = Answers(), time.perf_counter()
        await asyncio.gather(
            *(_ask(caller, checkout, n, answers, since=started) for n, caller in enumerate(lines))
        )
        answers.lasted = time.perf_counter() - started
        _hang_up(lines)
        return answers

    return asyncio.run(stretch())


async def _connected(checkout: Checkout, callers: int) -> list[Caller]:
    return [await Caller.connected(checkout.port, key=checkout.key) for _ in range(callers)]


async def _ask(caller: Caller, checkout: Checkout, number: int, answers: Answers, *, since: float) -> None:
    status, body = await caller.decide(checkout.question(number), idempotency=str(uuid.uuid4()))
    answers.seconds.append(time.perf_counter() - since)
    told = json.loads(body)
    answers.outcomes[told["outcome"] if status == 200 else f"status {status}"] += 1


def _hang_up(callers: list[Caller]) -> None:
    for caller in callers:
        caller.close()
