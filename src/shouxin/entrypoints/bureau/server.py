"""The HTTP server of the simulated bureau: signed enquiries, an invoice, and a control path."""

from __future__ import annotations

import hmac
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from shouxin.entrypoints.bureau.behaviour import Behaviour, BehaviourMessage, Mode
from shouxin.entrypoints.signing import KEY_HEADER, SIGNATURE_HEADER, TIME_HEADER, signature
from shouxin.simulation import bureau
from shouxin.simulation.bureau_people import hashed

BUREAU_KEY = "shouxin"
# A simulated provider has nothing to hide; a real one gives every shop a secret of its own.
BUREAU_SECRET = "simulated-bureau"  # noqa: S105
_SIGNED_WITHIN_SECONDS = 300
_BODY_BYTES_MAX = 16 * 1024
_PRODUCT_PATH = "/v1/products/"


class PersonMessage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom an enquiry is about."""

    identifier: str
    spelling: str
    value: str


class EnquiryMessage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of an enquiry."""

    request_id: str
    person: PersonMessage


@dataclass
class Invoice:
    """What was delivered, by product; one request id is charged once, whenever its answer was made."""

    charged: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Counts and amounts (CNY as text) by product."""
        found = Counter(code for code, known in self.charged.values() if known)
        asked = Counter(code for code, _ in self.charged.values())
        lines: dict[str, dict[str, Any]] = {
            code: {
                "answered": asked[code],
                "found": found[code],
                "amount": str(Decimal(bureau.PRODUCTS[code].price) * found[code]),
            }
            for code in sorted(asked)
        }
        return {
            "products": lines,
            "amount": str(sum((Decimal(x["amount"]) for x in lines.values()), Decimal(0))),
        }


class Bureau(ThreadingHTTPServer):
    """The server. ``people`` gives the name and the hidden risk of a person by hashed identifier."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], *, seed: int, people: Mapping[str, tuple[str, float]] | None = None
    ) -> None:
        super().__init__(address, _Handler)
        self.seed = seed
        self.people = people
        self.behaviour = Behaviour()
        self.invoice = Invoice()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up early is no news."""

    def answer(self, code: str, enquiry: EnquiryMessage) -> dict[str, Any]:
        """What is known about the person, written onto the invoice."""
        person = enquiry.person
        name = person.value if person.spelling == "sha256" else hashed(person.identifier, person.value)
        known = self.people.get(name) if self.people is not None else None
        told: dict[str, Any] = {"outcome": "unknown_person"}
        # With the people of a shop given, a stranger is unknown; without, everybody is somebody.
        if self.people is None or known is not None:
            who, risk = known or (name, None)
            told = bureau.answer_about(
                who, bureau.PRODUCTS[code], risk=risk, seed=self.seed, on=datetime.now(UTC).date()
            )
        with self.lock:
            self.invoice.charged[enquiry.request_id] = (code, told["outcome"] == "found")
        return {"request_id": enquiry.request_id, **told}


def start_bureau(
    *,
    seed: int,
    people: Mapping[str, tuple[str, float]] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Bureau:
    """A bureau that serves on a thread of its own until ``shutdown``; port 0 takes a free one."""
    server = Bureau((host, port), seed=seed, people=people)
    threading.Thread(target=server.serve_forever, name="bureau", daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    """One connection; a request is signed by the one key that the bureau knows."""

    protocol_version = "HTTP/1.1"
    server: Bureau

    def do_GET(self) -> None:
        """``/v1/health`` for anybody, ``/v1/invoice`` signed."""
        if self.path == "/v1/health":
            self._send(200, {"status": "serving", "products": sorted(bureau.PRODUCTS)})
        elif self.path != "/v1/invoice":
            self._send(404, {"title": "no such path"})
        elif self._signed(b""):
            with self.server.lock:
                told = self.server.invoice.as_data()
            self._send(200, told)

    def do_PUT(self) -> None:
        """``/control``, signed: how to behave from now on."""
        body = self._body()
        if self.path != "/control":
            self._send(404, {"title": "no such path"})
        elif self._signed(body):
            try:
                message = msgspec.json.decode(body, type=BehaviourMessage)
            except msgspec.DecodeError as error:
                self._send(422, {"title": str(error)})
                return
            self.server.behaviour.tell(message)
            self._send(200, msgspec.to_builtins(message))

    def do_POST(self) -> None:
        """An enquiry, met as the behaviour in force says."""
        body = self._body()
        code = self.path.removeprefix(_PRODUCT_PATH)
        if not self.path.startswith(_PRODUCT_PATH) or code not in bureau.PRODUCTS:
            self._send(404, {"title": "no such product"})
        elif self._signed(body):
            try:
                enquiry = msgspec.json.decode(body, type=EnquiryMessage)
            except msgspec.DecodeError as error:
                self._send(422, {"title": str(error)})
                return
            mode, latency_seconds = self.server.behaviour.next()
            time.sleep(latency_seconds)
            _MEETS[mode](self, code, enquiry)

    def well(self, code: str, enquiry: EnquiryMessage) -> None:
        """The answer."""
        self._send(200, self.server.answer(code, enquiry))

    def error(self, _code: str, _enquiry: EnquiryMessage) -> None:
        """500 before anything was looked up."""
        self._send(500, {"title": "something broke"})

    def silent(self, code: str, enquiry: EnquiryMessage) -> None:
        """The answer is made, and so charged, and never sent."""
        self.server.answer(code, enquiry)
        self._hang_up()

    def trickle(self, code: str, enquiry: EnquiryMessage) -> None:
        """The answer comes one byte at a time, for ever so long."""
        body = msgspec.json.encode(self.server.answer(code, enquiry))
        self._head(200, len(body))
        for letter in body:
            self.wfile.write(bytes([letter]))
            self.wfile.flush()
            time.sleep(0.1)

    def drop(self, _code: str, _enquiry: EnquiryMessage) -> None:
        """The connection ends without a word."""
        self.close_connection = True

    def drop_late(self, code: str, enquiry: EnquiryMessage) -> None:
        """The connection ends in the middle of a charged answer."""
        body = msgspec.json.encode(self.server.answer(code, enquiry))
        self._head(200, len(body))
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def malformed(self, code: str, enquiry: EnquiryMessage) -> None:
        """A charged answer that is no JSON."""
        self.server.answer(code, enquiry)
        self._send_bytes(200, b"<html>Welcome to nginx!</html>")

    def wrong_score(self, code: str, enquiry: EnquiryMessage) -> None:
        """A charged answer beyond every scale."""
        self._send(200, {**self.server.answer(code, enquiry), "outcome": "found", "score": 9_999})

    def throttle(self, _code: str, _enquiry: EnquiryMessage) -> None:
        """429: slow down."""
        self._send(429, {"title": "too many requests"}, {"Retry-After": "1"})

    def _hang_up(self) -> None:
        """Wait until the caller has given up."""
        self.connection.settimeout(60)
        self.connection.recv(1)
        self.close_connection = True

    def _signed(self, body: bytes) -> bool:
        time_told = self.headers.get(TIME_HEADER, "")
        expected = signature(BUREAU_SECRET, method=self.command, path=self.path, time=time_told, body=body)
        recent = time_told.isdecimal() and abs(time.time() - int(time_told)) < _SIGNED_WITHIN_SECONDS
        given = self.headers.get(SIGNATURE_HEADER, "")
        own = self.headers.get(KEY_HEADER) == BUREAU_KEY and hmac.compare_digest(
            given.encode(), expected.encode()
        )
        if recent and own:
            return True
        self._send(401, {"title": "the signature does not fit"})
        return False

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
            self.close_connection = True
            return b""
        return self.rfile.read(int(length))

    def _send(self, status: int, told: Any, headers: Mapping[str, str] | None = None) -> None:
        self._send_bytes(status, msgspec.json.encode(told), headers)

    def _send_bytes(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._head(status, len(body), headers)
        self.wfile.write(body)

    def _head(self, status: int, length: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing is logged: whom somebody asks about is nobody's business."""


_MEETS = {
    Mode.WELL: _Handler.well,
    Mode.ERROR: _Handler.error,
    Mode.SILENT: _Handler.silent,
    Mode.TRICKLE: _Handler.trickle,
    Mode.DROP: _Handler.drop,
    Mode.DROP_LATE: _Handler.drop_late,
    Mode.MALFORMED: _Handler.malformed,
    Mode.WRONG_SCORE: _Handler.wrong_score,
    Mode.THROTTLE: _Handler.throttle,
}
