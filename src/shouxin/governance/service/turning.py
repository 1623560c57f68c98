"""Turning slots: a slot gets a new wrapping key, what lies in it is wrapped anew, the old key is destroyed.

The order is what makes it safe. The new key is on the disk before the database uses it; the old one is
destroyed after the database has stopped using it. Whatever dies in between, the database says which
generation wraps, and whoever comes next goes on from there. Writers and readers never stop: a writer
holds the slots it puts keys in for the length of its transaction, a reader that meets a generation it
does not know reads the file again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection

from shouxin.governance.domain.slots import SLOTS
from shouxin.governance.keys import Keyring
from shouxin.governance.store import data_keys, key_slots
from shouxin.kernel import Progress, silent

Begin = Callable[[], AbstractContextManager[Connection]]
# So many slots share the two writings of the key file.
_BATCH = 64


@dataclass(frozen=True, slots=True)
class KeysStatus:
    """How the keys stand.

    ``unturned`` slots hold a key that an erasure has yet to destroy; ``spare`` counts keys in the file
    beside those that wrap. ``under_master`` data keys lie under the master key itself, as before there
    were slots; ``erased_under_master`` were erased from there, and open in old dumps until the master key
    is changed. ``unreadable`` slots have no key.
    """

    subjects: int
    erased: int
    slots: int
    generation_oldest: int
    generation_newest: int
    unturned: int
    spare: int
    under_master: int
    erased_under_master: int
    unreadable: int
    cipher: str


class UnableToChangeMaster(RuntimeError):
    """Data keys still lie under the master key itself; they would be lost with it."""


def destroy_erased_keys(begin: Begin, keyring: Keyring, *, progress: Progress = silent) -> int:
    """Turn every slot in which somebody was erased; returns how many. Call it after each erasure commits.

    It also ends what was cut short: keys that wrap nothing any more are destroyed.
    """
    with begin() as db:
        waiting = key_slots.unturned(db)
    turned = _turn(begin, keyring, waiting, progress=progress)
    with begin() as db:
        wraps = key_slots.generations(db)
    if any(len(keyring.generations(slot)) > 1 for slot in wraps):
        keyring.destroy_before(wraps)
    return turned


def rotate_keys(begin: Begin, keyring: Keyring, *, progress: Progress = silent) -> int:
    """Turn every slot, beside running writers; returns how many data keys were wrapped anew.

    Interrupted, what was turned stays turned; a run afterwards turns all of them once more.
    """
    return _turn(begin, keyring, range(SLOTS), progress=progress)


def change_master(db: Connection, keyring: Keyring) -> None:
    """A new master key for the key file; nothing in the database changes. Raises UnableToChangeMaster."""
    if data_keys.counts(db).under_master:
        raise UnableToChangeMaster(
            "data keys of before there were slots lie under the master key itself; "
            "run `shouxin keys rotate` first"
        )
    keyring.change_master()
    data_keys.forget_master(db)


def keys_status(db: Connection, keyring: Keyring) -> KeysStatus:
    """How the keys stand now, by the database and by the file."""
    keyring.refresh()
    counts, wraps = data_keys.counts(db), key_slots.generations(db)
    held = [keyring.generations(slot) for slot in wraps]
    return KeysStatus(
        subjects=counts.subjects,
        erased=counts.erased,
        slots=len(wraps),
        generation_oldest=min(wraps.values()),
        generation_newest=max(wraps.values()),
        unturned=len(key_slots.unturned(db)),
        spare=sum(max(0, len(generations) - 1) for generations in held),
        under_master=counts.under_master,
        erased_under_master=counts.erased_under_master,
        unreadable=sum(not keyring.holds(slot, generation) for slot, generation in wraps.items()),
        cipher=keyring.cipher,
    )


def _turn(begin: Begin, keyring: Keyring, slots: Sequence[int], *, progress: Progress) -> int:
    wrapped = 0
    for start in range(0, len(slots), _BATCH):
        batch = slots[start : start + _BATCH]
        with begin() as db:
            wraps = key_slots.generations(db)
        keyring.add_generations({slot: wraps[slot] for slot in batch})
        kept = {}
        for done, slot in enumerate(batch, start + 1):
            with begin() as db:
                kept[slot], count = _turned(db, keyring, slot)
            wrapped += count
            progress(done, len(slots))
        keyring.destroy_before(kept)
    return wrapped


def _turned(db: Connection, keyring: Keyring, slot: int) -> tuple[int, int]:
    """Wrap what lies in a slot under its newest key; returns that generation and how many keys."""
    key_slots.commit_durably(db)
    current = key_slots.held_generation(db, slot)
    newest = keyring.generations(slot)[-1]
    if newest <= current:
        return current, 0  # another process turned it while we waited for the slot
    keys = data_keys.keys_of_slot(db, slot)
    anew = {}
    for subject, key in keys.items():
        assert key.wrapped is not None and key.generation is not None
        data_key = keyring.unwrap(subject, key.wrapped, generation=key.generation)
        anew[subject] = keyring.wrap(subject, data_key, generation=newest)
    data_keys.replace_wrapped(db, anew, generation=newest)
    key_slots.set_generation(db, slot, newest)
    return newest, len(keys)
