"""The key file: the keys that must be able to die, kept outside the database and its dumps.

``keys/keyring.sealed`` holds the key of tokens, the key of the house's own secrets and the wrapping keys
of 1,024 slots, each with its generation, encrypted under the master key. A change replaces the whole
file at once, flushed to the disk, with one writer at a time: there is never half a file, and after a
replacement the keys that are not in it are gone.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shouxin.governance.ciphers import KEY_BYTES, UnableToOpen, decrypt, encrypt
from shouxin.governance.domain.slots import FIRST_GENERATION, SLOTS

KEY_VARIABLE = "SHOUXIN_MASTER_KEY"
# Set beside the other while the master key changes: what opens with neither is refused.
NEXT_KEY_VARIABLE = "SHOUXIN_NEXT_MASTER_KEY"
_CONTEXT = "keyring"
_VERSION = 1


class UnableToLoadKey(RuntimeError):
    """A key is missing, damaged, or readable by others; the message says how to mend it."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What the file holds: a mapping of generation to key for each slot."""

    token_key: bytes = field(repr=False)
    secret_key: bytes = field(repr=False)
    slots: tuple[Mapping[int, bytes], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """The contents, the master key that opened them, and which state of the file they are."""

    contents: Contents
    master: bytes = field(repr=False)
    stamp: tuple[int, int, int]


class KeyFile:
    """The key file of one installation; every method may be called from many processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "keyring.sealed"
        self.master_path = folder / "master.key"
        self._next_master_path = folder / "master.key.next"

    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever the file does; raises UnableToLoadKey when it is gone."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            raise UnableToLoadKey(f"{self.path} is gone; bring back the newest copy of it") from None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def open(self) -> Opened:
        """Read the file, made now if there is none yet. Raises UnableToLoadKey."""
        if not self.path.exists() or self._next_master_path.exists():
            with self._locked():
                if not self.path.exists():
                    master = self._masters()[0]
                    self._write(first_contents(master), master)
                self._finish_change_of_master()
        return self._opened()

    def change(self, verb: Callable[[Contents], Contents]) -> Opened:
        """Replace the contents by what ``verb`` makes of them, one process at a time."""
        with self._locked():
            opened = self._opened()
            changed = verb(opened.contents)
            if changed != opened.contents:
                self._write(changed, opened.master)
        return self._opened()

    def change_master(self) -> Opened:
        """Encrypt the file under a new master key. What dies in between leaves a pair that opens."""
        with self._locked():
            opened = self._opened()
            if os.environ.get(KEY_VARIABLE):
                given = os.environ.get(NEXT_KEY_VARIABLE)
                if not given:
                    raise UnableToLoadKey(
                        f"the master key comes from {KEY_VARIABLE}; give the new one in {NEXT_KEY_VARIABLE}"
                    )
                self._write(opened.contents, _decoded(given, place=NEXT_KEY_VARIABLE))
            else:
                self._finish_change_of_master()
                _make(self._next_master_path)
                self._write(opened.contents, _read_key(self._next_master_path))
                self._finish_change_of_master()
        return self._opened()

    def _finish_change_of_master(self) -> None:
        """A next master key that opens the file takes its place; one that opens nothing is thrown away."""
        if not self._next_master_path.exists():
            return
        if self._opened().master == _read_key(self._next_master_path):
            self._next_master_path.replace(self.master_path)
        else:
            self._next_master_path.unlink()
        _flush_folder(self._folder)

    def _opened(self) -> Opened:
        if self.path.stat().st_mode & 0o077:
            raise UnableToLoadKey(f"{self.path} can be read by others; run: chmod 600 {self.path}")
        stamp, sealed = self.stamp(), self.path.read_bytes()
        for master in self._masters():
            try:
                text = decrypt(_derived(master, "keyring"), sealed, context=_CONTEXT)
            except UnableToOpen:
                continue
            return Opened(_parsed(text), master, stamp)
        raise UnableToLoadKey(
            f"{self.path} does not open with the master key; bring back the keys/master.key it was made "
            f"with, or set {KEY_VARIABLE}"
        )

    def _masters(self) -> list[bytes]:
        """The master key, and the next one where a change of it is on its way."""
        if given := os.environ.get(KEY_VARIABLE):
            found = [_decoded(given, place=KEY_VARIABLE)]
            following = os.environ.get(NEXT_KEY_VARIABLE)
            return [*found, _decoded(following, place=NEXT_KEY_VARIABLE)] if following else found
        if not self.master_path.exists():
            _make(self.master_path)
        places = (self.master_path, self._next_master_path)
        return [_read_key(place) for place in places if place.exists()]

    def _write(self, contents: Contents, master: bytes) -> None:
        sealed = encrypt(_derived(master, "keyring"), _spelled(contents), context=_CONTEXT)
        handle, draft = tempfile.mkstemp(dir=self._folder)  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self.path)
        finally:
            Path(draft).unlink(missing_ok=True)
        _flush_folder(self._folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / "keyring.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def first_contents(master: bytes) -> Contents:
    """What a new file holds: names and secrets follow from the master key, wrapping keys from nothing."""
    slots = tuple({FIRST_GENERATION: os.urandom(KEY_BYTES)} for _ in range(SLOTS))
    return Contents(_derived(master, "token"), _derived(master, "secret"), slots)


def key_under_master(master: bytes) -> bytes:
    """The key that wrapped data keys before there were slots."""
    return _derived(master, "wrap")


def derived_slot_key(master: bytes, slot: int, generation: int) -> bytes:
    """The wrapping key of a slot for a keyring that has no file."""
    return _derived(master, f"slot {slot} {generation}")


def derived_names(master: bytes) -> Contents:
    """The contents of a keyring that has no file: wrapping keys are derived when they are wanted."""
    return Contents(_derived(master, "token"), _derived(master, "secret"), ())


def _derived(master: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"shouxin {purpose} 1".encode()).derive(master)


def _spelled(contents: Contents) -> bytes:
    return json.dumps(
        {
            "version": _VERSION,
            "token": contents.token_key.hex(),
            "secret": contents.secret_key.hex(),
            "slots": [
                {str(generation): key.hex() for generation, key in slot.items()} for slot in contents.slots
            ],
        }
    ).encode()


def _parsed(text: bytes) -> Contents:
    data = json.loads(text)
    if data["version"] != _VERSION:
        raise UnableToLoadKey(
            "keyring.sealed was written by a newer version of Shouxin; use that version to open it"
        )
    slots = tuple(
        {int(generation): bytes.fromhex(key) for generation, key in slot.items()} for slot in data["slots"]
    )
    return Contents(bytes.fromhex(data["token"]), bytes.fromhex(data["secret"]), slots)


def _read_key(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise UnableToLoadKey(f"{path} can be read by others; run: chmod 600 {path}")
    return _decoded(path.read_text(), place=str(path))


def _decoded(text: str, *, place: str) -> bytes:
    try:
        master = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        master = b""
    if len(master) != KEY_BYTES:
        raise UnableToLoadKey(f"{place} does not hold 32 bytes in base64")
    return master


def _make(path: Path) -> None:
    """Write a new key beside its place and link it in: of many processes, one key wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process made it in the same moment, and theirs is the key
    finally:
        Path(draft).unlink()
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """A new name in a folder is on the disk only when the folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
