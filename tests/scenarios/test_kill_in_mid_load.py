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
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scenarios.served import command
from shouxin import ingestion
from shouxin.database import opened
from shouxin.database.supervisor import kill_hard, wait_until_gone
from shouxin.governance import load_keyring, sealer

_FILES, _ROWS = 60, 400
_ACCEPTED = _FILES * (_ROWS - 2)  # one row in each file is bad, one repeats the file before
_WAIT_SECONDS = 60


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
