"""History: the event log as Parquet files, for features over everything at once.

A file holds the events of one stretch of 250,000 event numbers. Only stretches that grew since the
last export are written again, each beside its place and then moved into it, so a reader never sees
half a file. ``manifest.json`` says how far the files go; when it does not fit the log (another
database, a restored backup) everything is written anew.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from sqlalchemy import Connection

from shouxin.ingestion import store
from shouxin.ingestion.bulk import EVENT_SCHEMA
from shouxin.kernel import Progress, content_hash, silent

STRETCH = 250_000
_FORMAT = 1
HISTORY_SCHEMA = pa.schema(
    [pa.field("event_no", pa.int64()), *(field for field in EVENT_SCHEMA if field.name != "version")]
)
# COPY writes wall-clock times of UTC; Arrow puts the zone on afterwards.
_COPIED_TYPES = {
    field.name: pa.timestamp("us") if pa.types.is_timestamp(field.type) else field.type
    for field in HISTORY_SCHEMA
}


@dataclass(frozen=True, slots=True)
class HistoryFiles:
    """What an export left: the folder, its files in order, how many events they hold, how many are new."""

    folder: Path
    files: tuple[Path, ...]
    events: int
    added: int
    last_event_no: int


def export_history(db: Connection, folder: Path, *, progress: Progress = silent) -> HistoryFiles:
    """Bring the Parquet files in ``folder`` up to the event log; what is there already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    last = store.settled_event_no(db)
    rows_of = _trusted_rows(db, folder, last=last)
    before = sum(rows_of.values())
    done_until = _read_manifest(folder).get("last_event_no", 0) if rows_of else 0
    first, end = done_until // STRETCH, -(-last // STRETCH)
    for number in range(first, end if last > done_until else first):
        table = _stretch(db, number, last=last)
        rows_of.pop(_name(number), None)
        if table.num_rows:
            _write(folder / _name(number), table)
            rows_of[_name(number)] = table.num_rows
        progress(min((number + 1) * STRETCH, last), last)
    _remove_strangers(folder, rows_of)
    _write_manifest(db, folder, rows_of, last=last)
    files = tuple(folder / name for name in sorted(rows_of))
    total = sum(rows_of.values())
    return HistoryFiles(folder, files, total, total - before, last)


def _stretch(db: Connection, number: int, *, last: int) -> pa.Table:
    """The events of one stretch. COPY straight into Arrow's reader: no row passes through Python."""
    first, final = number * STRETCH, min((number + 1) * STRETCH, last)
    columns = ", ".join(
        f"{name} AT TIME ZONE 'UTC'" if name.endswith("_at") else name for name in HISTORY_SCHEMA.names
    )
    query = (
        f"COPY (SELECT {columns} FROM ingestion.event WHERE event_no > {first} AND event_no <= {final} "
        "ORDER BY event_no) TO STDOUT (FORMAT csv)"
    )
    driver = db.connection.driver_connection
    assert driver is not None, "the connection is closed"
    data = io.BytesIO()
    with driver.cursor() as cursor, cursor.copy(query) as copy:
        for block in copy:
            data.write(block)
    if not data.tell():
        return HISTORY_SCHEMA.empty_table()
    data.seek(0)
    table = pa_csv.read_csv(
        data,
        read_options=pa_csv.ReadOptions(column_names=HISTORY_SCHEMA.names, block_size=8 << 20),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=_COPIED_TYPES,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return table.cast(HISTORY_SCHEMA)


def _name(number: int) -> str:
    return f"events-{number:06d}.parquet"


def _write(path: Path, table: pa.Table) -> None:
    making = path.with_suffix(".making")
    pq.write_table(table, making, compression="zstd", compression_level=1)
    making.replace(path)


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return manifest if isinstance(manifest, dict) and manifest.get("format") == _FORMAT else {}


def _trusted_rows(db: Connection, folder: Path, *, last: int) -> dict[str, int]:
    """Rows by file name when the manifest fits this log, else nothing."""
    manifest = _read_manifest(folder)
    if not manifest or manifest["last_event_no"] > last:
        return {}
    if manifest["anchor"] != _anchor(db, manifest["last_event_no"]):
        return {}
    rows: dict[str, int] = manifest["files"]
    return dict(rows) if all((folder / name).is_file() for name in rows) else {}


def _anchor(db: Connection, event_no: int) -> str:
    """A name for the event that the files end with: another log has another event there."""
    return content_hash(store.source_id_of(db, event_no))


def _remove_strangers(folder: Path, rows_of: dict[str, int]) -> None:
    """Files of another log, or of an export that was interrupted; readers take every Parquet file."""
    for path in folder.glob("events-*"):
        if path.name not in rows_of:
            path.unlink()


def _write_manifest(db: Connection, folder: Path, rows_of: dict[str, int], *, last: int) -> None:
    manifest = {"format": _FORMAT, "last_event_no": last, "anchor": _anchor(db, last), "files": rows_of}
    making = folder / "manifest.making"
    making.write_text(json.dumps(manifest, indent=1, sort_keys=True))
    making.replace(folder / "manifest.json")
