"""Keys for programs: shown once, stored as a hash, narrow in what they open."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from shouxin.governance import credentials
from shouxin.governance.domain.access import ApiKey, Scope
from shouxin.governance.domain.people import storable
from shouxin.governance.store import api_keys
from shouxin.kernel import OWN_SOURCE, mint

# The same as of events. Under our own source only the house speaks: who could send `credit` facts
# could forge that a debt was repaid.
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class UnableToAddKey(ValueError):
    """The key can not be: it opens nothing, or its name is taken."""


def add_api_key(
    db: Connection, *, name: str, scopes: Iterable[Scope], source: str, now: datetime
) -> tuple[ApiKey, str]:
    """Make a key and return it with its clear text (``sx_..``), which can not be shown again.

    Raises UnableToAddKey.
    """
    key = ApiKey(mint("key", now=now), name.strip(), frozenset(scopes), source)
    if not key.name or not key.scopes or storable(key.name) != key.name:
        raise UnableToAddKey("a key has a name, a source and at least one scope")
    if not _SOURCE.fullmatch(key.source) or key.source == OWN_SOURCE:
        raise UnableToAddKey("a source is a-z, 0-9, - and _, and not one that the house itself speaks under")
    clear_text = credentials.new_token("sx")
    if not api_keys.add(db, key, secret_hash=credentials.token_hash(clear_text), now=now):
        raise UnableToAddKey(f"the name {key.name} is taken")
    return key, clear_text


def find_api_key(db: Connection, clear_text: str, *, now: datetime) -> ApiKey | None:
    """The key with this clear text, unless it is revoked."""
    return api_keys.by_secret(db, credentials.token_hash(clear_text), now=now)


def revoke_api_key(db: Connection, key_id: str, *, now: datetime) -> bool:
    """End a key; False when there is none of this id, or it has ended already."""
    return api_keys.revoke(db, key_id, now=now)
