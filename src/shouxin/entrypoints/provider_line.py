"""The line to a provider of credit data: signed JSON over HTTP, and a name for every way it can fail."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import msgspec

from shouxin.entrypoints.signing import KEY_HEADER, SIGNATURE_HEADER, TIME_HEADER, signature
from shouxin.ingestion.external import Answer, CallFailure, FailureKind, ProviderRequest

# An answer has a dozen short fields; more is not one.
_ANSWER_BYTES_MAX = 64 * 1024


class AnswerMessage(msgspec.Struct, kw_only=True):
    """The body of an answer (docs/external.md); fields that are not here are passed over."""

    request_id: str
    outcome: Literal["found", "unknown_person"]
    score: int | None = None
    band: str | None = None
    open_loans: int | None = None
    overdue_loans: int | None = None
    court_records: int | None = None
    valid_days: int | None = None


@dataclass(frozen=True, slots=True)
class HttpLine:
    """Reaches one provider at ``url``; the secret signs and never travels."""

    url: str
    key: str
    secret: str = field(repr=False)
    connections: httpx.Client = field(default_factory=httpx.Client, repr=False)

    def ask(self, request: ProviderRequest) -> Answer | CallFailure:
        """One attempt. Neither the body nor the answer is put into a log or an error."""
        try:
            status, headers, body = self._exchange(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return CallFailure(FailureKind.UNREACHABLE)
        except httpx.TimeoutException:
            return CallFailure(FailureKind.TIMEOUT)
        except httpx.DecodingError:
            return CallFailure(FailureKind.MALFORMED)
        except httpx.HTTPError:
            return CallFailure(FailureKind.DROPPED)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return CallFailure(FailureKind.THROTTLED, _retry_after(headers))
        if status >= 500:
            return CallFailure(FailureKind.SERVER_ERROR)
        if status != httpx.codes.OK:
            return CallFailure(FailureKind.REJECTED)
        return _answer(body, request)

    def _exchange(self, request: ProviderRequest) -> tuple[int, httpx.Headers, bytes]:
        """Send and read within the timeout as a whole: one that trickles is as late as a silent one."""
        target = f"{self.url.rstrip('/')}/v1/products/{request.product}"
        body = msgspec.json.encode(_message(request))
        seconds = request.timeout.total_seconds()
        began = time.monotonic()
        headers = self._signed(target, body)
        with self.connections.stream(
            "POST", target, content=body, headers=headers, timeout=seconds
        ) as response:
            read = bytearray()
            for chunk in response.iter_bytes():
                read += chunk
                if time.monotonic() - began > seconds:
                    raise httpx.ReadTimeout("the answer trickles", request=response.request)
                if len(read) > _ANSWER_BYTES_MAX:
                    raise httpx.DecodingError("the answer is too long", request=response.request)
            return response.status_code, response.headers, bytes(read)

    def _signed(self, target: str, body: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        signed = signature(self.secret, method="POST", path=urlsplit(target).path, time=now, body=body)
        return {
            "Content-Type": "application/json",
            KEY_HEADER: self.key,
            TIME_HEADER: now,
            SIGNATURE_HEADER: signed,
        }


def _message(request: ProviderRequest) -> dict[str, Any]:
    return {
        "request_id": request.request_id,
        "person": {
            "identifier": request.identifier.value,
            "spelling": request.spelling.value,
            "value": request.value,
        },
    }


def _answer(body: bytes, request: ProviderRequest) -> Answer | CallFailure:
    try:
        told = msgspec.json.decode(body, type=AnswerMessage)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return CallFailure(FailureKind.MALFORMED)
    if told.request_id != request.request_id:
        return CallFailure(FailureKind.MALFORMED)
    return Answer(
        told.outcome == "found",
        told.score,
        told.band,
        told.open_loans,
        told.overdue_loans,
        told.court_records,
        told.valid_days,
    )


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    with suppress(ValueError, OverflowError):
        return timedelta(seconds=max(0, int(headers.get("Retry-After", ""))))
    return None
