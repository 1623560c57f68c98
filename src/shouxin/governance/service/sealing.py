"""Sealing: personal values under a data key of their own subject, so that one subject can be forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from shouxin.governance.ciphers import KEY_BYTES, UnableToOpen, decrypt, encrypt
from shouxin.governance.domain.slots import slot_of
from shouxin.governance.key_file import UnableToLoadKey
from shouxin.governance.keys import Keyring
from shouxin.governance.store import data_keys, key_slots
from shouxin.governance.store.data_keys import WrappedKey

_CHUNK = 5_000
# No subject has this name: a subject has a colon after its source.
_CHECK = "#keyring"


class UnableToSeal(RuntimeError):
    """The subject was erased; nothing personal is kept for it again."""


class Sealer:
    """Seals and opens personal values in one transaction; keeps the data keys it has seen in memory.

    A subject is ``source:customer_ref``. A sealed value opens only for the subject and field it was
    sealed for, so rows can not be swapped.
    """

    def __init__(self, db: Connection, keyring: Keyring) -> None:
        self._db = db
        self._keyring = keyring
        self._keys: dict[str, bytes] = {}
        # Subjects that nobody erases before this transaction ends; only for these may we seal.
        self._held: set[str] = set()

    def prepare(self, subjects: Iterable[str]) -> None:
        """Load the data keys of many subjects at once, and make those that are missing.

        Raises UnableToSeal for a subject that was erased.
        """
        wanted = sorted(set(subjects) - self._held)
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            found = self._found(data_keys.held_keys, chunk)
            missing = [subject for subject in chunk if subject not in found]
            if missing:
                self._make(missing)
                # Another transaction may have been first: its key is the key.
                found |= self._found(data_keys.held_keys, missing)
            self._unwrap(found)
            if found.keys() != self._keys.keys() & found.keys():
                raise UnableToSeal("the customer was erased; nothing personal is kept of them again")
            self._held |= found.keys()

    def load(self, subjects: Iterable[str]) -> list[str]:
        """Load the data keys that exist, before opening many values; returns subjects without one."""
        wanted = sorted(set(subjects) - self._keys.keys())
        for start in range(0, len(wanted), _CHUNK):
            self._unwrap(self._found(data_keys.wrapped_keys, wanted[start : start + _CHUNK]))
        return [subject for subject in wanted if subject not in self._keys]

    def seal(self, subject: str, field: str, value: str) -> bytes:
        """Encrypt one value; call ``prepare`` first when there are many subjects."""
        if subject not in self._held:
            self.prepare([subject])
        clear = value.encode(errors="surrogatepass")
        context = f"{subject}\x1f{field}"
        return encrypt(self._keys[subject], clear, context=context, cipher=self._keyring.cipher)

    def open(self, subject: str, field: str, sealed: bytes) -> str:
        """Decrypt one value; raises UnableToOpen."""
        if subject not in self._keys and self.load([subject]):
            raise UnableToOpen("the subject of the sealed value has no key here")
        clear = decrypt(self._keys[subject], sealed, context=f"{subject}\x1f{field}")
        return clear.decode(errors="surrogatepass")

    def _make(self, subjects: Sequence[str]) -> None:
        # The slots are held before the keyring is asked: it has every generation that a slot can have.
        generations = key_slots.shared_generations(self._db, map(slot_of, subjects))
        made = {}
        for subject in subjects:
            slot = slot_of(subject)
            wrapped = self._keyring.wrap(subject, os.urandom(KEY_BYTES), generation=generations[slot])
            made[subject] = WrappedKey(slot, generations[slot], wrapped)
        data_keys.add_wrapped(self._db, made)

    def _found(
        self, read: Callable[[Connection, Sequence[str]], dict[str, WrappedKey]], subjects: Sequence[str]
    ) -> dict[str, WrappedKey]:
        """The rows; those whose slot turned since they were read are read once more."""
        found = read(self._db, subjects)
        stale = [subject for subject, key in found.items() if not self._opens(key)]
        return found | read(self._db, stale) if stale else found

    def _opens(self, key: WrappedKey) -> bool:
        return key.generation is None or self._keyring.holds(key.slot, key.generation)

    def _unwrap(self, found: dict[str, WrappedKey]) -> None:
        for subject, key in found.items():
            if key.wrapped is not None and subject not in self._keys:
                assert key.generation is not None, "a wrapped key says under what"
                self._keys[subject] = self._keyring.unwrap(subject, key.wrapped, generation=key.generation)


def sealer(db: Connection, keyring: Keyring) -> Sealer:
    """A sealer for this transaction; keys that were destroyed meanwhile leave the keyring's memory."""
    keyring.refresh()
    return Sealer(db, keyring)


def erase_subjects(db: Connection, subjects: Collection[str], *, now: datetime) -> None:
    """Forget the data keys of these subjects in this database, and that any is ever made for them again.

    The wrapping keys they lay under live on in the key file until ``destroy_erased_keys`` has run after
    the commit; copies of the database made before open until then. Raises UnableToErase.
    """
    wanted = sorted(subjects)
    held = data_keys.keys_to_erase(db, wanted)
    slots = [slot_of(subject) for subject in wanted]
    current = key_slots.shared_generations(db, slots)
    generations = [
        # The slot's: older copies of the key, under generations before it, opened no more when it turned.
        None if subject not in held else 0 if held[subject].generation == 0 else current[slot]
        for subject, slot in zip(wanted, slots, strict=True)
    ]
    data_keys.erase(db, wanted, slots=slots, generations=generations, now=now)


def erased_subjects(db: Connection, subjects: Collection[str]) -> set[str]:
    """Those of these subjects that were erased."""
    return data_keys.erased(db, sorted(subjects)) if subjects else set()


def check_keyring(db: Connection, keyring: Keyring) -> None:
    """Make sure that this keyring is the one the data was sealed with; raises UnableToLoadKey.

    The first keyring that a database sees leaves a key wrapped under itself; a later one must open it,
    and must have the wrapping key of every slot.
    """
    missing = [slot for slot, wraps in key_slots.generations(db).items() if not keyring.holds(slot, wraps)]
    if missing:
        raise UnableToLoadKey(
            f"keys/keyring.sealed lacks the keys of {len(missing)} slots that this database uses: bring "
            "back the newest copy of that file, or, after restoring an older dump, the newest tables "
            "governance.data_key and governance.key_slot (docs/operating.md)"
        )
    kept = data_keys.wrapped_keys(db, [_CHECK])
    if not kept:
        Sealer(db, keyring).prepare([_CHECK])
        return
    try:
        Sealer(db, keyring).load([_CHECK])
    except UnableToOpen:
        raise UnableToLoadKey(
            "the keys are not the ones that this data was sealed with; bring back the folder keys/ of "
            "this installation, or set SHOUXIN_MASTER_KEY"
        ) from None
