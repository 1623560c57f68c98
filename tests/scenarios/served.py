"""`shouxin serve` and `shouxin work` as people run them: a process of their own, ended by a signal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from shouxin.database import EmbeddedServer, Home

_SECONDS_MAX = 60


@dataclass
class Served:
    """A running server and a client of it; ``log`` is all that it said."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    log: Path

    def ask(self, customer: str, *, key: str | None = None, value: str = "10.00") -> httpx.Response:
        """A decision over HTTP."""
        money = {"value": value, "currency": "CNY"}
        body = {"customer_ref": customer, "request": {"order_id": "O1", "amount": money}}
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.client.post("/v1/decisions", json=body, headers=headers)

    def held(self, customer: str) -> str:
        """What the customer's line holds."""
        told = self.client.get(f"/v1/customers/{customer}/line").json()
        return str(told["limit"]["held"])

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + _SECONDS_MAX
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.client.get("/v1/health").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"it does not answer: {self.log.read_text()}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(_SECONDS_MAX)


@contextmanager
def command(home: Home, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A ``shouxin`` command in a process group of its own; whatever happens, nothing of it is left."""
    log = home.path / f"{words[0]}-{uuid.uuid4().hex}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("shouxin"), *words],
            stdout=said,
            stderr=said,
            env=os.environ | {"SHOUXIN_HOME": str(home.path)},
            cwd="/",
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        stop_database(home)


def stop_database(home: Home) -> None:
    """Stop the server of a home that no process uses any more."""
    server = EmbeddedServer(home.server)
    if server.is_running():
        server.attach()
        server.detach()


@contextmanager
def serving(home: Home, bearer: dict[str, str]) -> Iterator[Served]:
    """`shouxin serve` of a home, answering."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    with (
        command(home, "serve", "--port", str(port)) as (process, log),
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=bearer, timeout=_SECONDS_MAX, limits=limits
        ) as client,
    ):
        served = Served(process, client, log)
        served.wait()
        yield served
