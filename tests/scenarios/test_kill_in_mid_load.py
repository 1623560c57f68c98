"""kill -9 in the middle of a bulk load, then the same load again: no event lost, none doubled.

Everybody who is killed left whole chunks: their events, the sealed values of these, and what was refused.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scenarios.served import command, serving
from shouxin import governance, ingestion
from shouxin.database import opened
from shouxin.database.supervisor import kill_hard, wait_until_gone
from shouxin.governance import load_keyring, sealer

_FILES, _ROWS = 60, 400
_ACCEPTED = _FILES * (_ROWS - 2)  # one row in each file is bad, one repeats the file before
_WAIT_SECONDS = 60
_CALLS, _LINES = 40, 500
_NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def folder(tmp_path):
    """Files of events: customers with a phone, their logins; one bad row and one repeated row in each."""
    place = tmp_path / "events"
    place.mkdir()
    for number in range(_FILES):
        table = pa.Table.from_pylist([_row(number, n) for n in range(_ROWS)])
        pq.write_table(table, place / f"{number:03}.parquet")
    return place


def _row(number, n):
    told = {"source": "shop", "kind": "login_recorded", "customer_ref": f"C{number}-{n}", "personal": None}
    told |= {"source_id": f"{number}/{n}", "occurred_at": f"2026-01-01T00:{number:02}:00Z", "payload": "{}"}
    if n == 0:
        return told | {"payload": '{"channel": "moon"}'}
    if n == 1:
        return told | {"source_id": f"{max(number - 1, 0)}/2", "customer_ref": f"C{max(number - 1, 0)}-2"}
    if n % 4 == 0:
        phone = json.dumps({"phone": f"139{number:04}{n:04}"})
        return told | {"kind": "customer_registered", "payload": '{"channel": "app"}', "personal": phone}
    return told


def _load(home, folder):
    """The load as people run it, to its end; returns its exit code and what it said."""
    shouxin = Path(sys.executable).with_name("shouxin")
    done = subprocess.run(
        [shouxin, "ingest", "events", folder, "--json"],
        capture_output=True,
        text=True,
        env=os.environ | {"SHOUXIN_HOME": str(home.path)},
        cwd="/",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _wait_for_chunks(database, process, log):
    """Wait until the load is well on its way."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"it ended before it could be killed: {log.read_text()}"
        with database.begin() as db:
            if ingestion.event_count(db) >= 3 * _ROWS:
                return
        time.sleep(0.005)
    raise AssertionError("the load does not get on")


def _told(database, keyring):
    """What the log, the vault and the quarantine hold."""
    with database.begin() as db:
        events = db.exec_driver_sql("SELECT source_id, customer_ref FROM ingestion.event").all()
        refs = [("shop", ref) for ref in {ref for _, ref in events}]
        safe = sealer(db, keyring)
        phones = [
            (fact.source_id, safe.open(f"shop:{fact.customer_ref}", "phone", fact.sealed))
            for fact in ingestion.personal_facts(db, refs)
        ]
        places = [row.place for row in ingestion.list_quarantine(db, limit=10_000)]
    return [name for name, _ in events], phones, places


@pytest.mark.parametrize("killed", ["loader", "database"])
def test_a_load_that_was_killed_is_finished_by_running_it_again(own_home, folder, killed):
    with opened(own_home) as database:
        load_keyring(own_home)
        with command(own_home, "ingest", "events", str(folder), "--json") as (loader, log):
            _wait_for_chunks(database, loader, log)
            if killed == "loader":
                loader.send_signal(signal.SIGKILL)
            else:
                pid = database.server.pid()
                kill_hard(pid)
                assert wait_until_gone(pid)
            code = loader.wait(_WAIT_SECONDS)
            said = log.read_text()

    if killed == "database":
        assert code == 1
        assert said.count("\n") == 1 and "the database does not answer" in said, said

    with opened(own_home) as database:
        keyring = load_keyring(own_home)
        names, phones, places = _told(database, keyring)
        _check_whole_chunks(names, phones, places)
        assert len(names) < _ACCEPTED, "it was killed in the middle"
        before = len(names)

        again = _load(own_home, folder)
        assert again["read"] == _FILES * _ROWS
        assert (again["accepted"], again["quarantined"]) == (_ACCEPTED - before, _FILES)
        names, phones, places = _told(database, keyring)
        assert len(names) == _ACCEPTED
        _check_whole_chunks(names, phones, places)

        third = _load(own_home, folder)
        assert (third["accepted"], third["duplicates"]) == (0, _FILES * _ROWS - _FILES)
        assert sorted(_told(database, keyring)[2]) == sorted(places)


def _check_whole_chunks(names, phones, places):
    """Of every file that left anything everything is there, once."""
    files = sorted({int(name.split("/")[0]) for name in names})
    assert files == list(range(len(files))), "chunks are stored in their order"
    good = [(number, n) for number in files for n in range(2, _ROWS)]
    assert sorted(names) == sorted(f"{number}/{n}" for number, n in good)
    assert sorted(phones) == sorted(
        (f"{number}/{n}", f"139{number:04}{n:04}") for number, n in good if n % 4 == 0
    )
    assert sorted(places) == sorted(f"{number:03}.parquet:1" for number in files)


def test_a_server_that_was_killed_in_mid_call_is_sent_the_same_calls_again(own_home):
    """Each call is stored whole or not at all; sent again, nothing is lost and nothing doubled."""
    bodies = [_lines(number) for number in range(_CALLS)]
    with opened(own_home) as database:
        with database.begin() as db:
            scopes = frozenset({governance.Scope.EVENTS_WRITE})
            _, clear = governance.add_api_key(
                db, name="bulk", scopes=scopes, source="shop", now=datetime.now(UTC)
            )
        bearer = {"Authorization": f"Bearer {clear}"}
        answered = []
        with serving(own_home, bearer) as served, ThreadPoolExecutor(4) as senders:
            calls = [senders.submit(_send, served, body, answered) for body in bodies]
            _wait_until(lambda: len(answered) >= 4)
            os.killpg(served.process.pid, signal.SIGKILL)
            for call in calls:
                call.result(_WAIT_SECONDS)
        assert 4 <= len(answered) < _CALLS, "it was killed in the middle"
        with database.begin() as db:
            stored = ingestion.event_count(db)
        assert stored % _LINES == 0 and stored >= len(answered) * _LINES, "whole calls, and all acknowledged"

        with serving(own_home, bearer) as served:
            told = [served.client.post("/v1/events", content=b, headers=_NDJSON).json() for b in bodies]
        assert sum(one["accepted"] for one in told) == _CALLS * _LINES - stored
        assert sum(one["duplicates"] for one in told) == stored
        with database.begin() as db:
            assert ingestion.event_count(db) == _CALLS * _LINES
            assert len(ingestion.list_quarantine(db, limit=10_000)) == _CALLS


def _lines(number):
    """A call of many events, the last of which is bad."""
    rows = [_row(number, n) for n in range(2, _LINES + 2)]
    rows = [
        {name: row[name] for name in ("source_id", "kind", "customer_ref", "occurred_at")}
        | {"payload": json.loads(row["payload"]), "personal": json.loads(row["personal"] or "{}")}
        for row in rows
    ]
    bad = rows[0] | {"source_id": f"{number}/bad", "payload": {"channel": "moon"}}
    return "\n".join(json.dumps(row) for row in [*rows, bad]).encode()


def _send(served, body, answered):
    try:
        answer = served.client.post("/v1/events", content=body, headers=_NDJSON)
    except httpx.TransportError:
        return
    assert answer.status_code == 200, answer.text
    answered.append(answer.json())


def _wait_until(true):
    deadline = time.monotonic() + _WAIT_SECONDS
    while not true():
        assert time.monotonic() < deadline, "the calls do not get on"
        time.sleep(0.005)
