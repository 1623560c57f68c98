"""Forms: the token that proves a form is ours, and fields read from what was sent."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

Form = Mapping[str, Any]


def form_token(basis: str, *, nonce: str | None = None) -> str:
    """A token that only the browser holding ``basis`` (a secret cookie) can have been given.

    Each rendering has its own nonce: a compressed page shows no repeated secret (BREACH).
    """
    chosen = nonce or secrets.token_hex(8)
    seal = hmac.new(basis.encode(), f"form:{chosen}".encode(), hashlib.sha256).hexdigest()
    return f"{chosen}.{seal}"


def token_fits(basis: str, token: str) -> bool:
    """Whether ``token`` was made for ``basis``; compared in constant time."""
    nonce, dot, _ = token.partition(".")
    return bool(basis and dot and nonce) and hmac.compare_digest(
        form_token(basis, nonce=nonce).encode(), token.encode()
    )


def field(form: Form, name: str) -> str:
    """The one value of a field, trimmed; '' when it was not sent."""
    value = form.get(name, "")
    return clean(str(value[-1]) if isinstance(value, list) else str(value))


def whole_numbers(form: Form, name: str) -> list[int]:
    """Every value of a repeated field that is a whole number, in order, once each."""
    value = form.get(name, [])
    values = value if isinstance(value, list) else [value]
    numbers = (int(item) for item in values if str(item).isdecimal() and len(str(item)) < 16)
    return list(dict.fromkeys(numbers))


def clean(text: str) -> str:
    """Trimmed, and without the one character that PostgreSQL's text can not hold."""
    return text.replace("\0", "").strip()


def local_path(path: str) -> str:
    """``path`` if it stays on this site, else the start page: nobody is sent elsewhere by a link to us."""
    stays = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if stays and path.isascii() and path.isprintable() else "/"


def one_of(value: str, allowed: Mapping[str, Any] | frozenset[str] | tuple[str, ...]) -> str | None:
    """``value`` if it is allowed, else None: a filter that nobody knows filters nothing."""
    return value if value in allowed else None
