"""Registrations of the same people at several sources, each written its own way, and who they really are.

The gold data for linkage: the events go through the same door as any shop's; the truth lies apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import Generator

from shouxin.kernel import Progress, silent
from shouxin.simulation.domain import Ints
from shouxin.simulation.humans import PEOPLE_MAX, draw_humans
from shouxin.simulation.story import EVENT_COLUMNS, INSTANT
from shouxin.simulation.world import UnableToSimulate
from shouxin.simulation.writing import CHANNELS, ROLLS, Human, write_person

FILE = "registrations.parquet"
REGISTRATIONS_A_PERSON = 1.8
_SHARES = (0.40, 0.20, 0.25, 0.15)  # of app, web, store, phone
_BLOCK = 20_000
_FIRST = 1_704_067_200  # 2024-01-01 in seconds since 1970
_SECONDS = 700 * 86_400
_UPDATES = 0.06
# (channel, identifier, share of the records with it that prove it, method)
_PROOFS = (
    ("app", "phone", 0.90, "sms_code"),
    ("web", "phone", 0.40, "sms_code"),
    ("web", "email", 0.35, "mail_link"),
    ("store", "phone", 0.25, "sms_code"),
    ("store", "national_id", 0.30, "id_document"),
)
_ROLL_UPDATE, _ROLL_PROOF = 18, 19


@dataclass(frozen=True, slots=True)
class RegistrationsReport:
    """What was written; ``fields`` is the share of registrations that hold each personal field."""

    people: int
    registrations: int
    events: int
    seed: int
    by_source: dict[str, int]
    by_kind: dict[str, int]
    fields: dict[str, float]

    def as_data(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def simulate_registrations(
    out: Path, *, people: int, registrations: int | None, seed: int, progress: Progress = silent
) -> RegistrationsReport:
    """Write ``registrations.parquet`` and ``truth/registrations.parquet`` below ``out``.

    The events are canonical (``shouxin ingest events``); the truth says which person each (source,
    customer_ref) is. Every person registers at least once; without ``registrations`` it is 1.8 times a
    person. The same arguments give the same bytes. Raises UnableToSimulate for impossible wishes.
    """
    total = round(people * REGISTRATIONS_A_PERSON) if registrations is None else registrations
    _check(people, total, seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    humans = draw_humans(rng, people=people)
    who = _who(rng, people, total)
    channel = rng.choice(len(CHANNELS), size=total, p=_SHARES)
    when = np.sort(rng.integers(0, _SECONDS, total)) + _FIRST
    (out / "truth").mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    fields: dict[str, int] = {}
    with pq.ParquetWriter(out / FILE, EVENT_COLUMNS, compression="zstd") as writer:
        for start in range(0, total, _BLOCK):
            block = slice(start, min(start + _BLOCK, total))
            rows = list(_events(rng, humans, start, who[block], channel[block], when[block]))
            _count(rows, counts, fields)
            writer.write_table(_table(rows))
            progress(block.stop, total)
    pq.write_table(_truth(who, channel), out / "truth" / FILE, compression="zstd")
    return RegistrationsReport(
        people=people,
        registrations=total,
        events=sum(counts.values()),
        seed=seed,
        by_source={name: int((channel == code).sum()) for code, name in enumerate(CHANNELS)},
        by_kind=dict(sorted(counts.items())),
        fields={name: round(held / total, 4) for name, held in sorted(fields.items())},
    )


def _check(people: int, registrations: int, seed: int) -> None:
    if not 1 <= people <= PEOPLE_MAX:
        raise UnableToSimulate(f"people must be 1 to {PEOPLE_MAX}")
    if registrations < people:
        raise UnableToSimulate("registrations must not be fewer than people")
    if seed < 0:
        raise UnableToSimulate("the seed must not be negative")


def _who(rng: Generator, people: int, total: int) -> Ints:
    """Everybody once, and the rest by liveliness, in random order."""
    lively = rng.exponential(1.0, people)
    more = rng.choice(people, size=total - people, p=lively / lively.sum())
    return rng.permutation(np.concatenate([np.arange(people), more]))


def _reference(number: int) -> str:
    return f"R{number + 1:07d}"


def _events(
    rng: Generator, humans: list[Human], first: int, who: Ints, channel: Ints, when: Ints
) -> Iterator[dict[str, Any]]:
    """The events of some registrations, in the order of the registrations."""
    rolls = rng.random((len(who), ROLLS)).tolist()
    for at, chances in enumerate(rolls):
        human, source = humans[who[at]], CHANNELS[channel[at]]
        written = write_person(human, source, chances)
        base = {"source": source, "customer_ref": _reference(first + at)}
        said = {"channel": source}
        moment = int(when[at])
        yield _event(base, "customer_registered", moment, said, written)
        for _, identifier, method in _proofs(human, source, written, chances[_ROLL_PROOF]):
            yield _event(
                base, "customer_verified", moment + 240,
                {"identifier": identifier, "method": method}, {identifier: written[identifier]},
            )  # fmt: skip
        if chances[_ROLL_UPDATE] < _UPDATES:
            later = moment + 86_400 + int(chances[_ROLL_UPDATE] * 1e8)
            yield _event(base, "customer_updated", later, said, _update(human, chances[0]))


def _proofs(
    human: Human, source: str, written: dict[str, str], roll: float
) -> Iterator[tuple[str, str, str]]:
    """Only what is truly one's own can be proved: no slip, no former and no shared number."""
    own = {"phone": human.phone, "email": human.email, "national_id": human.national_id}
    for channel, identifier, share, method in _PROOFS:
        if channel == source and roll < share and written.get(identifier) == own[identifier]:
            yield channel, identifier, method


def _update(human: Human, roll: float) -> dict[str, str]:
    return {"address": human.address} if roll < 0.5 else {"phone": human.phone}


def _event(
    base: dict[str, str], kind: str, moment: int, payload: dict[str, str], personal: dict[str, str]
) -> dict[str, Any]:
    subject = payload.get("identifier", "")
    return {
        **base,
        "source_id": f"{base['customer_ref']}-{kind.removeprefix('customer_')}{subject and '-' + subject}",
        "kind": kind,
        "version": 1,
        "occurred_at": moment * 1_000_000,
        "received_at": moment * 1_000_000,
        "order_ref": None,
        "amount_minor": None,
        "currency": None,
        "payload": json.dumps(payload),
        "personal": json.dumps(personal, ensure_ascii=False),
    }


def _table(rows: list[dict[str, Any]]) -> Any:
    return pa.table(
        {
            field.name: pa.array(
                [row[field.name] for row in rows],
                pa.int64() if field.type == INSTANT else field.type,
            ).cast(field.type)
            for field in EVENT_COLUMNS
        },
        schema=EVENT_COLUMNS,
    )


def _truth(who: Ints, channel: Ints) -> Any:
    return pa.table(
        {
            "source": pa.array(CHANNELS, pa.string()).take(pa.array(channel)),
            "customer_ref": pa.array([_reference(number) for number in range(len(who))], pa.string()),
            "person": pa.array(who),
        }
    )


def _count(rows: list[dict[str, Any]], kinds: dict[str, int], fields: dict[str, int]) -> None:
    for row in rows:
        kinds[row["kind"]] = kinds.get(row["kind"], 0) + 1
        if row["kind"] == "customer_registered":
            for name in json.loads(row["personal"]):
                fields[name] = fields.get(name, 0) + 1
