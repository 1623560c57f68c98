"""Intake: how much is let in at once, and what a body holds when it is unpacked.

A shop that sends its whole history at once would fill the memory and keep the checkout waiting. Large
bodies are therefore counted while they are read, checked and stored; when there is no room the caller is
told to come again (429), which loses nothing: an event may be sent twice.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from litestar import Request

from shouxin.entrypoints.api.problems import Problem
from shouxin.kernel import Bilingual

BODY_BYTES_MAX = 16 * 1024 * 1024
UNPACKED_BYTES_MAX = 32 * 1024 * 1024
# A body up to this size is a shop's everyday call: it is never told to wait.
_SMALL_BYTES = 64 * 1024
_READING_SECONDS_MAX = 60
# Each further member of a gzip costs a copy of what follows it: many are an attack, not an archive.
_MEMBERS_MAX = 100
_GZIP = 16 + zlib.MAX_WBITS  # zlib's word for a gzip header and trailer
_BUSY = Bilingual(
    zh="正在处理的批量数据已达上限，请稍后重新发送",
    en="as much bulk data as there is room for is in work; send the same call again later",
)
_TOO_LARGE = Bilingual(
    zh=f"解压后超过 {UNPACKED_BYTES_MAX // 2**20} MiB，请分批发送",
    en=f"the body unpacks to more than {UNPACKED_BYTES_MAX // 2**20} MiB; send it in parts",
)


class UnableToReadLimits(ValueError):
    """A limit in the environment is not a whole number above zero."""


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """How many large bodies may be in work at once, and how many bytes of them."""

    calls: int = 8
    megabytes: int = 128

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> IntakeLimits:
        """SHOUXIN_BULK_CALLS and SHOUXIN_BULK_MEGABYTES; raises UnableToReadLimits."""
        calls = _whole(environment, "SHOUXIN_BULK_CALLS", least=1, default=cls().calls)
        # Less than one body takes, packed and unpacked, would refuse it for ever.
        least = (BODY_BYTES_MAX + UNPACKED_BYTES_MAX) // 2**20
        return cls(calls, _whole(environment, "SHOUXIN_BULK_MEGABYTES", least=least, default=cls().megabytes))


class Intake:
    """Counts the large bodies in work; ``admitted`` lets one more in or refuses it with 429."""

    def __init__(self, limits: IntakeLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._calls = 0
        self._bytes = 0

    @contextmanager
    def admitted(self, length: int) -> Iterator[_Room]:
        """Room for a body of ``length`` bytes while the block lasts."""
        room = _Room(self)
        if length > _SMALL_BYTES:
            self._take(calls=1, length=length)
            room.calls, room.bytes = 1, length
        try:
            yield room
        finally:
            self._take(calls=-room.calls, length=-room.bytes)

    def _take(self, *, calls: int, length: int) -> None:
        with self._lock:
            full = self._calls + calls > self._limits.calls
            full |= self._bytes + length > self._limits.megabytes * 2**20
            if full and (calls > 0 or length > 0):
                more = {"text": _BUSY.as_data()}
                raise Problem(429, "Too many requests", _BUSY.en, headers={"Retry-After": "2"}, more=more)
            self._calls += calls
            self._bytes += length


@dataclass(slots=True)
class _Room:
    """What one call takes up; it may turn out to need more."""

    intake: Intake
    calls: int = 0
    bytes: int = 0

    def widen(self, length: int) -> None:
        """Take ``length`` bytes more, or refuse with 429."""
        if length > _SMALL_BYTES:
            self.intake._take(calls=0, length=length)
            self.bytes += length


def declared_length(request: Request[Any, Any, Any]) -> int:
    """How long the body says it is; one that does not say may be as long as any."""
    told = request.headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 12 else BODY_BYTES_MAX


def content_encoding(request: Request[Any, Any, Any]) -> str:
    """How the body says it is packed, in small letters; empty when it says nothing."""
    return request.headers.get("content-encoding", "").strip().lower()


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """The body as it came; one that trickles in may not keep its room for ever (408)."""
    try:
        with anyio.fail_after(_READING_SECONDS_MAX):
            return await request.body()
    except TimeoutError:
        detail = f"the body did not arrive within {_READING_SECONDS_MAX} seconds"
        raise Problem(408, "Too slow", detail) from None


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its gzip, if that is its Content-Encoding; never more than UNPACKED_BYTES_MAX."""
    if encoding in {"", "identity"}:
        return body
    told = bytearray()
    for _ in range(_MEMBERS_MAX):  # gzip members may follow one another
        if not body:
            return bytes(told)
        member = zlib.decompressobj(wbits=_GZIP)
        try:
            told += member.decompress(body, UNPACKED_BYTES_MAX + 1 - len(told))
        except zlib.error:
            raise Problem(400, "Bad request", "the body is not gzip, as its Content-Encoding says") from None
        if len(told) > UNPACKED_BYTES_MAX:
            raise Problem(413, "Too large", _TOO_LARGE.en, more={"text": _TOO_LARGE.as_data()})
        if not member.eof:
            raise Problem(400, "Bad request", "the body's gzip ends in the middle")
        body = member.unused_data
    raise Problem(413, "Too large", f"the body's gzip has more than {_MEMBERS_MAX - 1} members")


def _whole(environment: Mapping[str, str], name: str, *, least: int, default: int) -> int:
    text = environment.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) >= least):
        raise UnableToReadLimits(f"{name} must be a whole number from {least} on, not {text[:20]!r}")
    return int(text)
