"""Sealing: personal values under a data key of their own subject, so that one subject can be forgotten."""

from __future__ import annotations

import os
from collections.abc import Iterable

from sqlalchemy import Connection

from shouxin.governance.keys import (
    KEY_BYTES,
    Keyring,
    UnableToLoadKey,
    UnableToOpen,
    decrypt,
    encrypt,
)
from shouxin.governance.store import data_keys

_CHUNK = 5_000
# No subject has this name: a subject has a colon after its source.
_CHECK = "#keyring"


class Sealer:
    """Seals and opens personal values in one transaction; keeps the data keys it has seen in memory.

    A subject is ``source:customer_ref``. A sealed value opens only for the subject and field it was
    sealed for, so rows can not be swapped.
    """

    def __init__(self, db: Connection, keyring: Keyring) -> None:
        self._db = db
        self._keyring = keyring
        self._keys: dict[str, bytes] = {}

    def prepare(self, subjects: Iterable[str]) -> None:
        """Load the data keys of many subjects at once, and make those that are missing."""
        wanted = self.load(subjects)
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            made = {subject: self._keyring.wrap(subject, os.urandom(KEY_BYTES)) for subject in chunk}
            data_keys.add_wrapped(self._db, made)
            self.load(chunk)  # another transaction may have been first: its key is the key

    def load(self, subjects: Iterable[str]) -> list[str]:
        """Load the data keys that exist, before opening many values; returns subjects without one."""
        wanted = sorted(set(subjects) - self._keys.keys())
        for start in range(0, len(wanted), _CHUNK):
            for subject, wrapped in data_keys.wrapped_keys(self._db, wanted[start : start + _CHUNK]).items():
                self._keys[subject] = self._keyring.unwrap(subject, wrapped)
        return [subject for subject in wanted if subject not in self._keys]

    def seal(self, subject: str, field: str, value: str) -> bytes:
        """Encrypt one value; call ``prepare`` first when there are many subjects."""
        if subject not in self._keys:
            self.prepare([subject])
        clear = value.encode(errors="surrogatepass")
        return encrypt(self._keys[subject], clear, context=f"{subject}\x1f{field}")

    def open(self, subject: str, field: str, sealed: bytes) -> str:
        """Decrypt one value; raises UnableToOpen."""
        if subject not in self._keys and self.load([subject]):
            raise UnableToOpen("the subject of the sealed value has no key here")
        clear = decrypt(self._keys[subject], sealed, context=f"{subject}\x1f{field}")
        return clear.decode(errors="surrogatepass")


def sealer(db: Connection, keyring: Keyring) -> Sealer:
    """A sealer for this transaction."""
    return Sealer(db, keyring)


def check_keyring(db: Connection, keyring: Keyring) -> None:
    """Make sure that this keyring is the one the data was sealed with; raises UnableToLoadKey.

    The first keyring that a database sees leaves a key wrapped under itself; a later one must open it.
    """
    kept = data_keys.wrapped_keys(db, [_CHECK])
    if not kept:
        data_keys.add_wrapped(db, {_CHECK: keyring.wrap(_CHECK, os.urandom(KEY_BYTES))})
        return
    try:
        keyring.unwrap(_CHECK, kept[_CHECK])
    except UnableToOpen:
        raise UnableToLoadKey(
            "the master key is not the one that this data was sealed with; bring back keys/master.key of "
            "this installation, or set SHOUXIN_MASTER_KEY"
        ) from None
