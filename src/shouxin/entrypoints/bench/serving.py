"""Serving: the house as ``shouxin serve`` runs it, in a process of its own, and calls over one connection."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE_SECONDS = 60.0
_SERVE = "from shouxin.entrypoints.cli import main; main()"


class UnableToServe(RuntimeError):
    """The server did not answer in time."""


@contextmanager
def served(home: Path) -> Iterator[int]:
    """``shouxin serve`` on ``home``; gives the port once it answers, and ends the server after."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if name != "SHOUXIN_DATABASE_URL"}
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE, "serve", "--port", str(port), "--home", str(home)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_until_it_answers(process, port)
            yield port
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@dataclass(slots=True)
class Caller:
    """One connection that stays open; a call is a POST whose answer is read to its end."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes

    @classmethod
    async def connected(cls, port: int, *, key: str) -> Caller:
        """A connection to the server on this machine that calls with an API key."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"POST /v1/decisions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\n"
        )
        return cls(reader, writer, head.encode())

    async def decide(self, question: dict[str, Any], *, idempotency: str) -> tuple[int, bytes]:
        """The status and the body of one answer."""
        body = json.dumps(question).encode()
        more = f"Idempotency-Key: {idempotency}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        self.writer.write(self.head + more + body)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0])
        return int(answer.split(b" ", 2)[1]), await self.reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise UnableToServe("the server did not answer within a minute")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
