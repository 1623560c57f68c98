"""Naming: the token of a personal value, from the one form that it has."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from shouxin.governance import Keyring
from shouxin.ingestion.domain.normalising import normal_date

Token = Callable[[str, str], str]
_CACHED = 100_000


def token_of(keyring: Keyring, field: str, value: str) -> str:
    """The token of a value; 1990-03-05, 19900305 and 1990年3月5日 are one birthday and get one token.

    Other fields get their one form from the keyring itself, which is quick enough for a bulk load.
    """
    if field == "birth_date":
        value = normal_date(value).value or value
    return keyring.token(field, value)


def cached_token(keyring: Keyring) -> Token:
    """The same for the time of one load: devices and cards come again and again."""
    return lru_cache(maxsize=_CACHED)(lambda field, value: token_of(keyring, field, value))
