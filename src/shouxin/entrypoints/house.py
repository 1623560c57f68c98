"""The open house: what every door holds in its hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shouxin.database import Database, Home, find_home, opened
from shouxin.governance import Keyring, check_keyring, destroy_erased_keys, load_keyring
from shouxin.kernel import Clock, system_clock


@dataclass(frozen=True, slots=True)
class House:
    """An installation that is open: its database, its keys, its folder and its clock."""

    database: Database
    keyring: Keyring
    home: Home
    clock: Clock = system_clock


@contextmanager
def opened_house(path: Path | None = None) -> Iterator[House]:
    """The house at ``path`` (else SHOUXIN_HOME, else ./var), with its database started and migrated."""
    home = find_home(path)
    with opened(home) as database:
        keyring = load_keyring(home)
        with database.begin() as db:
            check_keyring(db, keyring)
        # An erasure that was cut short after its commit left a key behind; it ends here.
        destroy_erased_keys(database.begin, keyring)
        yield House(database, keyring, home)
