"""A house that buys from the real simulated bureau over HTTP; helpers for the tests of external data."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import msgspec

from shouxin.entrypoints.bureau import BUREAU_KEY, BUREAU_SECRET, Bureau, settings_text
from shouxin.entrypoints.signing import KEY_HEADER, SIGNATURE_HEADER, TIME_HEADER, signature
from shouxin.governance import Keyring
from shouxin.ingestion import accept
from shouxin.ingestion.external import Subject


def call(bureau: Bureau, method: str, path: str, body: bytes = b"", **changes: str) -> httpx.Response:
    now = changes.get("time", str(int(time.time())))
    secret = changes.get("secret", BUREAU_SECRET)
    headers = {
        KEY_HEADER: BUREAU_KEY,
        TIME_HEADER: now,
        SIGNATURE_HEADER: signature(secret, method=method, path=path, time=now, body=body),
    }
    return httpx.request(method, bureau.url + path, content=body, headers=headers, timeout=10)


def behave(bureau: Bureau, mode: str, *, times: int | None = None, latency_seconds: float = 0.0) -> None:
    told = {"mode": mode, "times": times, "latency_seconds": latency_seconds}
    assert call(bureau, "PUT", "/control", msgspec.json.encode(told)).status_code == 200


def invoice(bureau: Bureau) -> dict:
    return call(bureau, "GET", "/v1/invoice").json()


def write_settings(path, bureau: Bureau, *, budget: str = "5000.00", **changes: str):
    """The printed settings with quick timeouts; ``changes`` replace whole values by key."""
    text = settings_text(bureau.url, key=BUREAU_KEY, secret=BUREAU_SECRET, budget=budget)
    for key, value in {"timeout_seconds": "0.5", **changes}.items():
        text = "\n".join(
            f"{key} = {value}" if line.startswith(f"{key} =") else line for line in text.splitlines()
        )
    path.write_text(text + "\n")
    return path


@dataclass
class Person:
    ref: str
    national_id: str
    phone: str


def person(number: int) -> Person:
    from stdnum.cn import ric

    body = f"990101{1980 + number % 20}0101{number % 1000:03d}"
    return Person(f"C{number:05d}", body + ric.calc_check_digit(body + "0"), f"1010{number:07d}")


def register(db, keyring: Keyring, who: Person, *, now: datetime, consents: bool = True) -> Subject:
    """A registered customer who told phone and id, and agreed to enquiries (or was never asked)."""
    at = (now - timedelta(days=9)).isoformat()
    items = [
        {
            "source": "shop", "source_id": f"reg/{who.ref}", "kind": "customer_registered", "version": 1,
            "customer_ref": who.ref, "occurred_at": at, "payload": {"channel": "app"},
            "personal": {"name": "陈文静", "phone": who.phone, "national_id": who.national_id},
        }
    ]  # fmt: skip
    if consents:
        items.append(word(who, "consent_given", now - timedelta(days=8)))
    receipt = accept(db, items, keyring=keyring, now=now - timedelta(days=7))
    assert receipt.accepted == len(items), receipt
    return Subject((("shop", who.ref),))


def word(who: Person, kind: str, at: datetime) -> dict:
    payload = {"purpose": "external_data"} | ({"text_version": "1"} if kind == "consent_given" else {})
    return {
        "source": "shop", "source_id": f"{kind}/{who.ref}/{at.isoformat()}", "kind": kind, "version": 1,
        "customer_ref": who.ref, "occurred_at": at.isoformat(), "payload": payload,
    }  # fmt: skip
