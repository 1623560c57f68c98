"""ingest: files of events into the log, beside raw COPY of the very same rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
from sqlalchemy.engine import make_url

from shouxin import ingestion
from shouxin.database.supervisor import OWNER_ROLE
from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.timing import seconds_of
from shouxin.entrypoints.house import House

_GOAL_RATIO = 0.4
_BLOCK = 1 << 20
_COLUMNS = (
    "source, source_id, kind, version, customer_ref, occurred_at, received_at, order_ref, amount_minor, "
    "currency, payload"
)
# The same columns without key, index or check; and with all of them.
_PEERS = {
    "bench.plain": f"CREATE TABLE bench.plain AS SELECT {_COLUMNS} FROM ingestion.event WHERE false",
    "bench.indexed": "CREATE TABLE bench.indexed (LIKE ingestion.event INCLUDING ALL)",
}


def measure(ground: Ground) -> list[Line]:
    """Events a second of a load chunk by chunk, and of COPY into a bare table and into an equal one."""
    files = _some_files(ground)
    house = ground.empty_house("ingest")
    with owner_of(house) as owner:
        owner.execute("CREATE SCHEMA bench")
        for statement in _PEERS.values():
            owner.execute(statement)
        took: dict[str, list[float]] = {who: [] for who in ("ours", *_PEERS)}
        for number in range(ground.sizes.repeats):
            ground.say(f"loading {len(files)} files, run {number + 1} of {ground.sizes.repeats}")
            owner.execute("TRUNCATE ingestion.event, ingestion.personal")
            took["ours"].append(seconds_of(lambda: _load(house, files)))
            batches = _stored_rows(owner, files)
            for table in _PEERS:
                owner.execute(f"TRUNCATE {table}")
                took[table].append(seconds_of(_copier(owner, table, batches)))
        (events,) = owner.execute("SELECT count(*) FROM ingestion.event").fetchone() or (0,)
        (sealed,) = owner.execute("SELECT count(sealed) FROM ingestion.personal").fetchone() or (0,)
    rate = {who: events / statistics.median(seconds) for who, seconds in took.items()}
    what = f"{events:,} events in {len(files)} Parquet files, {sealed:,} personal values sealed on the way"
    return [
        Line(
            f"a load of files beside COPY into {table}",
            rate["ours"],
            "events/s",
            peer=rate[f"bench.{place}"],
            goal=goal,
            of="ratio",
            keeps=">=",
            note=f"{what}; peer: COPY of the stored rows as CSV, {more}",
        )
        for place, goal, table, more in (
            ("indexed", _GOAL_RATIO, "an equal table", "same key, index and checks"),
            (
                "plain",
                None,
                "a bare table",
                "no key, no index, no check",
            ),
        )
    ]


def _some_files(ground: Ground) -> list[Path]:
    """The first months of the shop: enough rows to measure by, not all."""
    chosen: list[Path] = []
    rows = 0
    for path in ground.world.events:
        if rows >= ground.sizes.events:
            break
        chosen.append(path)
        rows += pq.ParquetFile(path).metadata.num_rows
    return chosen


def owner_of(house: House) -> psycopg.Connection[tuple[int, ...]]:
    """The owner of the tables, committing each statement."""
    assert house.database.server is not None, "the bench has an embedded server of its own"
    url = make_url(house.database.server.url(OWNER_ROLE)).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


def _load(house: House, files: list[Path]) -> None:
    """As ``shouxin ingest events`` loads a folder: each file is a chunk with a transaction of its own."""
    chunks = chain.from_iterable(ingestion.file_chunks(path) for path in files)
    ingestion.load_stepwise(house.database.begin, chunks, keyring=house.keyring, now=house.clock())


def _stored_rows(owner: psycopg.Connection[tuple[int, ...]], files: list[Path]) -> list[bytes]:
    """What the log now holds as CSV, in as many pieces as there were files."""
    pieces = []
    for number in range(len(files)):
        part = f"event_no % {len(files)} = {number}"
        with (
            owner.cursor() as cursor,
            cursor.copy(
                f"COPY (SELECT {_COLUMNS} FROM ingestion.event WHERE {part} ORDER BY event_no)"
                " TO STDOUT (FORMAT csv)"
            ) as copy,
        ):
            pieces.append(b"".join(bytes(block) for block in copy))
    return pieces


def _copier(
    owner: psycopg.Connection[tuple[int, ...]], table: str, batches: list[bytes]
) -> Callable[[], None]:
    def copy_all() -> None:
        for batch in batches:  # each its own transaction, as each file is
            with (
                owner.cursor() as cursor,
                cursor.copy(f"COPY {table} ({_COLUMNS}) FROM STDIN (FORMAT csv)") as copy,
            ):
                for start in range(0, len(batch), _BLOCK):
                    copy.write(batch[start : start + _BLOCK])

    return copy_all
