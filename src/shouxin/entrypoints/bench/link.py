"""link: one new record against a million that are known, beside a query on clear text written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shouxin import identity, simulation
from shouxin.database import Home
from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.ingest import owner_of
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import call_seconds, percentile
from shouxin.entrypoints.house import House
from shouxin.governance import load_keyring
from shouxin.identity.domain import encode
from shouxin.kernel import Progress

_GOAL_MILLISECONDS = 5.0
_SEED = 23
_BLOCK = 20_000
_PROCESSES = 2
Personal = dict[str, str]
# What somebody writes who may read clear text: equal values, each with an index, counted.
_PEER_FIELDS = ("name", "phone", "email", "national_id", "birth_date", "address")
_PEER_TABLE = f"""
    CREATE SCHEMA bench;
    CREATE TABLE bench.person (customer_no bigint, {", ".join(f"{name} text" for name in _PEER_FIELDS)})"""
_PEER_INDEXES = """
    CREATE INDEX ON bench.person (phone); CREATE INDEX ON bench.person (email);
    CREATE INDEX ON bench.person (national_id); CREATE INDEX ON bench.person (name, birth_date);
    CREATE INDEX ON bench.person (address); ANALYZE bench.person"""
_PEER_QUERY = """
    SELECT customer_no, (name = %(name)s)::int + coalesce((phone = %(phone)s)::int, 0)
        + coalesce((email = %(email)s)::int, 0) + coalesce((national_id = %(national_id)s)::int, 0)
        + coalesce((birth_date = %(birth_date)s)::int, 0) + coalesce((address = %(address)s)::int, 0) AS agree
    FROM (
        SELECT * FROM bench.person WHERE phone = %(phone)s
        UNION SELECT * FROM bench.person WHERE email = %(email)s
        UNION SELECT * FROM bench.person WHERE national_id = %(national_id)s
        UNION SELECT * FROM bench.person WHERE name = %(name)s AND birth_date = %(birth_date)s
        UNION SELECT * FROM bench.person WHERE address = %(address)s
    ) AS found WHERE name = %(name)s ORDER BY agree DESC, customer_no LIMIT 1"""
_UNINDEXED = """
    ALTER TABLE identity.match_key DROP CONSTRAINT match_key_pkey;
    DROP INDEX identity.match_key_customer_no_idx"""
_INDEXED = """
    ALTER TABLE identity.match_key ADD PRIMARY KEY (key, customer_no);
    CREATE INDEX ON identity.match_key (customer_no);
    ANALYZE identity.match_key; ANALYZE identity.match_record; ANALYZE identity.customer"""


@dataclass(frozen=True, slots=True)
class _Known:
    """The house with its records; the new ones, who each is, and which person each known number is."""

    house: House
    new: list[Personal]
    who: list[int]
    person: list[int]


@dataclass(slots=True)
class _Answers:
    """What was answered to each new record: the number of a known one, or None."""

    of: dict[int, int | None] = field(default_factory=dict)

    def shares(self, known: _Known) -> tuple[float, float]:
        """The share found of new records whose person is known; the share of answers that is right."""
        right = sum(no is not None and known.person[no - 1] == known.who[n] for n, no in self.of.items())
        people = set(known.person)
        findable = sum(known.who[number] in people for number in self.of)
        answered = sum(no is not None for no in self.of.values())
        return right / max(1, findable), right / max(1, answered)


def measure(ground: Ground) -> list[Line]:
    """Milliseconds to encode one record, find its candidates in PostgreSQL, weigh them and decide."""
    known = _known(ground)
    calls = len(known.new)
    ground.say(f"linking {calls:,} new records, one at a time")
    ours, theirs = _Answers(), _Answers()
    with known.house.database.engine.connect() as db, owner_of(known.house) as owner:
        weights = identity.weights_in_use(db)

        def link_one(number: int) -> None:
            personal = known.new[number % calls]
            found = identity.look_alikes(db, personal, keyring=known.house.keyring, weights=weights)
            ours.of[number % calls] = int(found[0].customer_id[4:]) if found and found[0].is_one else None

        def ask_by_hand(number: int) -> None:
            wanted = dict.fromkeys(_PEER_FIELDS) | known.new[number % calls]
            row = owner.execute(_PEER_QUERY, wanted).fetchone()
            theirs.of[number % calls] = row[0] if row and row[1] > 1 else None

        took = _milliseconds(link_one, calls)
        peer = _milliseconds(ask_by_hand, calls)
    return _lines(known, took, peer, ours.shares(known), theirs.shares(known))


def _lines(
    known: _Known,
    took: list[float],
    peer: list[float],
    ours: tuple[float, float],
    theirs: tuple[float, float],
) -> list[Line]:
    note = (
        f"{len(took):,} new records against {len(known.person):,}: encode, one query for the candidates, "
        "weigh, decide; peer: one query on clear text with an index for each, equal values, two must agree"
    )
    return [
        Line("one new record, p50", percentile(took, 0.5), "ms", peer=percentile(peer, 0.5), note=note),
        Line(
            "one new record, p99",
            percentile(took, 0.99),
            "ms",
            peer=percentile(peer, 0.99),
            goal=_GOAL_MILLISECONDS,
            note=note,
        ),
        Line("known people who are found", ours[0], "share", peer=theirs[0], note=note),
        Line("answers that are right", ours[1], "share", peer=theirs[1], note=note),
    ]


def _milliseconds(work: Callable[[int], None], calls: int) -> list[float]:
    return [seconds * 1_000 for seconds in call_seconds(work, calls=calls)]


def _known(ground: Ground) -> _Known:
    rows, calls = ground.sizes.rows, ground.sizes.decisions
    folder = ground.folder / "registrations"
    ground.say(f"simulating {rows + calls:,} registrations")
    with ground.bar("simulating registrations") as progress:
        simulation.simulate_registrations(
            folder,
            people=round((rows + calls) / 1.8),
            registrations=rows + calls,
            seed=_SEED,
            progress=progress,
        )
    house = ground.empty_house("link")
    people = pq.read_table(folder / "truth/registrations.parquet")["person"].to_pylist()
    records = _personal(folder / "registrations.parquet")
    ground.say(f"encoding {rows:,} records")
    with owner_of(house) as owner, ground.bar("encoding records") as progress:
        owner.execute(_PEER_TABLE)
        owner.execute(_UNINDEXED)
        _load(owner, house.home, islice(records, rows), rows, progress)
        owner.execute(_INDEXED)
        owner.execute(_PEER_INDEXES)
    return _Known(house, list(records), people[rows:], people[:rows])


def _personal(path: Path) -> Iterator[Personal]:
    """The personal values of each registration, in order."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["kind", "personal"]):
            told = pa.Table.from_batches([batch])
            for text in told.filter(pc.equal(told["kind"], "customer_registered"))["personal"].to_pylist():
                yield json.loads(text)


def _load(
    owner: psycopg.Connection[tuple[int, ...]],
    home: Home,
    records: Iterator[Personal],
    rows: int,
    progress: Progress,
) -> None:
    """Encode in processes of their own, a block at a time, and COPY what they made."""
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        waiting = []
        first = 1
        while block := list(islice(records, _BLOCK)):
            waiting.append(pool.submit(_encoded, home, first, block))
            first += len(block)
            if len(waiting) > _PROCESSES:
                _copied(owner, waiting.pop(0).result())
                progress(first, rows)
        for last in waiting:
            _copied(owner, last.result())


def _encoded(home: Home, first: int, block: list[Personal]) -> Mapping[str, bytes]:
    """The rows of a block as COPY reads them, by table."""
    token = load_keyring(home).token
    rows: dict[str, list[str]] = {name: [] for name in _COPIED}
    for number, personal in enumerate(block, first):
        record = encode({name: (value,) for name, value in personal.items()}, token=token)
        rows["identity.customer"].append(f"cus_{number}\t{number}\t2026-01-01T00:00:00Z\n")
        codes = ",".join(map(str, sorted(record.codes)))
        rows["identity.match_record"].append(f"{number}\t{len(personal)}\t{record.fields}\t{{{codes}}}\n")
        rows["identity.match_key"].append("".join(f"{key}\t{number}\n" for key in record.keys))
        told = "\t".join(personal.get(name, "\\N") for name in _PEER_FIELDS)
        rows["bench.person"].append(f"{number}\t{told}\n")
    return {name: "".join(lines).encode() for name, lines in rows.items()}


_COPIED = {
    "identity.customer": "customer_id, customer_no, known_since",
    "identity.match_record": "customer_no, facts, fields, codes",
    "identity.match_key": "key, customer_no",
    "bench.person": f"customer_no, {', '.join(_PEER_FIELDS)}",
}


def _copied(owner: psycopg.Connection[Any], blocks: Mapping[str, bytes]) -> None:
    for table, block in blocks.items():
        with owner.cursor() as cursor, cursor.copy(f"COPY {table} ({_COPIED[table]}) FROM STDIN") as copy:
            copy.write(block)
