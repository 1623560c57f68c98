"""The real thing: `shouxin serve` with durable commits, called over HTTP, killed, restarted and ended."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from conftest import open_folder
from scenarios.furnished import furnish
from scenarios.served import command, serving
from shouxin import credit
from shouxin.database import EmbeddedServer, Home, opened
from shouxin.database.supervisor import kill_hard, wait_until_gone
from shouxin.kernel import Money

_CLIENTS = 6
_ACKNOWLEDGED_BEFORE_KILL = 60
_RETRIES_MAX = 200


@pytest.fixture(scope="module")
def furnished():
    """A home with durable commits, and the key to call it with."""
    now = datetime.now(UTC)
    with open_folder() as folder:
        home = Home(folder)
        with opened(home) as database, database.begin() as db:
            bearer = furnish(db, now=now, day=now.date()).bearer
        yield home, bearer


class Checkout:
    """One till: asks again and again, and sends what was not answered again under its key."""

    def __init__(self, served, customer):
        self.served, self.customer = served, customer
        self.acknowledged: dict[str, bytes] = {}
        self.refused = 0

    def run(self, stop, told):
        while not stop.is_set():
            answer = self._insist(str(uuid.uuid4()))
            self.acknowledged[answer.json()["decision_id"]] = answer.content
            told()

    def _insist(self, key):
        for _ in range(_RETRIES_MAX):
            answer = self.served.ask(self.customer, key=key)
            if answer.status_code == 200:
                return answer
            assert answer.status_code in {409, 503}, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) >= 1 and "Traceback" not in answer.text
            self.refused += 1
            time.sleep(0.2)
        raise AssertionError("the database did not come back")


def _wait_for_more(tills, *, than):
    deadline = time.monotonic() + 60
    while sum(len(till.acknowledged) for till in tills) < than:
        assert time.monotonic() < deadline, "nothing is decided after the restart"
        time.sleep(0.1)


def _find_all_again(served, home, tills):
    """Every acknowledged decision is kept byte for byte, and its hold with it; the books balance."""
    approved: dict[str, int] = {}
    for till in tills:
        for decision, body in till.acknowledged.items():
            found = served.client.get(f"/v1/decisions/{decision}")
            assert found.content == body
            if found.json()["outcome"] == "approve":
                approved[till.customer] = approved.get(till.customer, 0) + 1
    # Each key was insisted on until it was answered, so there is no hold that nobody knows of either.
    for customer, holds in approved.items():
        assert served.held(customer) == Money(1_000 * holds, "CNY").text
    with opened(home) as database, database.begin() as db:
        assert credit.check_ledger(db).balanced


@pytest.fixture(scope="class")
def served(furnished):
    home, bearer = furnished
    with serving(home, bearer) as served:
        yield served


class TestWhileItServes:
    """One server for all of these."""

    def test_the_same_key_at_once_is_answered_once(self, served):
        gate = threading.Barrier(8)

        def one(_):
            gate.wait()
            return served.ask("C001", key="at-once")

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(one, range(8)))
        bodies = {answer.content for answer in answers if answer.status_code == 200}
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(bodies) == 1
        assert all(answer.status_code == 409 and answer.headers["retry-after"] for answer in refused)
        assert served.held("C001") == "10.00"

    def test_64_at_once_never_hold_more_than_the_limit(self, served):
        limit = served.client.get("/v1/customers/C002/line").json()["limit"]
        share = Money(Money.parse(limit["total"], "CNY").minor // 9, "CNY").text
        gate = threading.Barrier(64)

        def one(_):
            gate.wait()
            return served.ask("C002", value=share)

        with ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(one, range(64)))
        assert {answer.status_code for answer in answers} == {200}
        approved = [answer for answer in answers if answer.json()["outcome"] == "approve"]
        assert len(approved) == 9
        after = served.client.get("/v1/customers/C002/line").json()["limit"]
        assert Money.parse(after["held"], "CNY").minor == 9 * Money.parse(share, "CNY").minor
        assert Money.parse(after["held"], "CNY") <= Money.parse(after["total"], "CNY")

    def test_a_port_that_is_taken_is_told_in_one_line(self, furnished, served):
        home, _ = furnished
        port = str(served.client.base_url.port)
        with command(home, "serve", "--port", port) as (second, log):
            assert second.wait(60) == 1
        assert log.read_text().splitlines() == [
            f"shouxin: port {port} at 127.0.0.1 is taken; name another with --port"
        ]
        assert served.client.get("/v1/health").status_code == 200

    def test_the_database_killed_under_load_comes_back_and_nothing_acknowledged_is_lost(
        self, furnished, served
    ):
        home, _ = furnished
        tills = [Checkout(served, f"C{number:03d}") for number in (3, 4, 5)] * (_CLIENTS // 3)
        tills = [Checkout(served, till.customer) for till in tills]
        stop, enough = threading.Event(), threading.Event()

        def told():
            if sum(len(till.acknowledged) for till in tills) >= _ACKNOWLEDGED_BEFORE_KILL:
                enough.set()

        with ThreadPoolExecutor(_CLIENTS) as pool:
            running = [pool.submit(till.run, stop, told) for till in tills]
            try:
                assert enough.wait(60), "the tills are stuck"
                kill_hard(EmbeddedServer(home.server).pid())
                before = sum(len(till.acknowledged) for till in tills)
                _wait_for_more(tills, than=before + 2 * _CLIENTS)
            finally:
                stop.set()
            for one in running:
                one.result(60)
        assert sum(till.refused for till in tills) > 0, "nobody noticed that the database was away"
        _find_all_again(served, home, tills)
        assert "Traceback" not in served.log.read_text()


def test_an_answer_is_the_same_bytes_again_after_a_restart_too(furnished):
    home, bearer = furnished
    with serving(home, bearer) as served:
        first, again = (served.ask("C000", key="restart") for _ in range(2))
        assert first.status_code == 200 and first.json()["outcome"] == "approve"
        assert "idempotent-replay" not in first.headers
        postmaster = EmbeddedServer(home.server).pid()
        assert served.end(signal.SIGTERM) == 0, served.log.read_text()
    assert wait_until_gone(postmaster), "the last user stops the database"
    with serving(home, bearer) as served:
        after = served.ask("C000", key="restart")
        assert first.content == again.content == after.content
        assert after.headers["idempotent-replay"] == "true"
        assert served.held("C000") == "10.00"


def test_who_ends_leaves_the_database_to_those_who_still_use_it(furnished):
    home, bearer = furnished
    with opened(home) as database:
        with serving(home, bearer) as served:
            assert served.end(signal.SIGINT) == 0, served.log.read_text()
        assert database.server.is_running()
        assert "Traceback" not in served.log.read_text()


def test_a_worker_ends_at_a_word_and_stops_the_database(furnished):
    home, _ = furnished
    with command(home, "work") as (process, log):
        deadline = time.monotonic() + 60
        while "working" not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        postmaster = EmbeddedServer(home.server).pid()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, log.read_text()
    assert wait_until_gone(postmaster)
    assert "Traceback" not in log.read_text()
