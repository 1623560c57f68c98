"""Keys: what names, wraps and seals; nothing personal is readable without them.

The master key opens one file (``key_file``), and in it lie the keys that work: one names values
(*tokens*), one seals the house's own secrets, and 1,024 wrap the data keys of subjects. Whoever is to be
forgotten loses the wrapping key that their data key lay under, in every copy of the database at once.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable

from shouxin.database import Home
from shouxin.governance.ciphers import KEY_BYTES, SealingCipher, UnableToOpen, decrypt, encrypt
from shouxin.governance.domain.personal import normalised
from shouxin.governance.domain.slots import UNDER_MASTER, slot_of
from shouxin.governance.key_file import (
    Contents,
    KeyFile,
    Opened,
    UnableToLoadKey,
    derived_names,
    derived_slot_key,
    key_under_master,
)

CIPHER_VARIABLE = "SHOUXIN_CIPHER"
# 120 bits: no two of a billion values share a token by accident.
_TOKEN_BYTES = 15


class Keyring:
    """The working keys of an installation. Never printed: its ``repr`` shows nothing.

    It follows its file: a key that another process has made is found, one that was destroyed is dropped.
    """

    def __init__(
        self,
        contents: Contents,
        *,
        master: bytes,
        file: KeyFile | None = None,
        stamp: tuple[int, int, int] | None = None,
        cipher: SealingCipher = SealingCipher.AES_256_GCM,
    ) -> None:
        self.cipher = cipher
        self._contents = contents
        self._master = master
        self._under_master = key_under_master(master)
        self._file = file
        self._stamp = stamp

    def __repr__(self) -> str:
        return "Keyring()"

    @classmethod
    def from_master(cls, master: bytes) -> Keyring:
        """A keyring without a file: all its keys follow from 32 bytes, so none of them can be destroyed."""
        assert len(master) == KEY_BYTES, "a master key has 32 bytes"
        return cls(derived_names(master), master=master)

    def token(self, field: str, value: str) -> str:
        """The blind name of a value: the same field and value always give the same ``tok_..``.

        The value is normalised first (``normalised``), so two spellings of one phone share a token.
        """
        # Half a surrogate pair is not text, but a shop may send one, and a token must not raise.
        message = f"{field}\x1f{normalised(field, value)}".encode(errors="surrogatepass")
        return "tok_" + hmac.digest(self._contents.token_key, message, "sha256")[:_TOKEN_BYTES].hex()

    def holds(self, slot: int, generation: int) -> bool:
        """Whether there is a wrapping key of that generation, here or in the file by now."""
        if self._wrapping_key(slot, generation) is None:
            self.refresh()
        return self._wrapping_key(slot, generation) is not None

    def generations(self, slot: int) -> tuple[int, ...]:
        """The generations that the file has of a slot, oldest first; none without a file."""
        return tuple(sorted(self._contents.slots[slot])) if self._contents.slots else ()

    def wrap(self, subject: str, data_key: bytes, *, generation: int) -> bytes:
        """Encrypt the data key of a subject for storage; raises UnableToOpen when there is no such key."""
        key = self._key_of(subject, generation)
        return encrypt(key, data_key, context=f"data_key\x1f{subject}", cipher=self.cipher)

    def unwrap(self, subject: str, wrapped: bytes, *, generation: int) -> bytes:
        """The data key of a subject; raises UnableToOpen."""
        return decrypt(self._key_of(subject, generation), wrapped, context=f"data_key\x1f{subject}")

    def seal_secret(self, purpose: str, secret: str) -> bytes:
        """Seal a secret of the house itself (an operator's code generator), bound to ``purpose``."""
        context = f"secret\x1f{purpose}"
        return encrypt(self._contents.secret_key, secret.encode(), context=context, cipher=self.cipher)

    def open_secret(self, purpose: str, sealed: bytes) -> str:
        """Open what ``seal_secret`` sealed for the same purpose; raises UnableToOpen."""
        return decrypt(self._contents.secret_key, sealed, context=f"secret\x1f{purpose}").decode()

    def refresh(self) -> None:
        """Read the file again if it changed; keys that are not in it any more are dropped from memory."""
        if self._file is not None and self._file.stamp() != self._stamp:
            self._take(self._file.open())

    def add_generations(self, newest: dict[int, int]) -> None:
        """Give each slot a key of a later generation than the one beside it, unless the file has one."""
        self._change(lambda contents: _with_later(contents, newest))

    def destroy_before(self, kept: dict[int, int]) -> None:
        """Destroy the keys of older generations than the one beside each slot, for good.

        A slot whose kept generation is not in the file loses nothing: the database is not of this file.
        """
        self._change(lambda contents: _without_older(contents, kept))

    def change_master(self) -> None:
        """Encrypt the file under a new master key; the working keys stay what they are."""
        assert self._file is not None, "a keyring without a file has nothing to encrypt"
        self._take(self._file.change_master())

    def _change(self, verb: Callable[[Contents], Contents]) -> None:
        if self._file is None:
            raise UnableToLoadKey("this keyring has no file, so none of its keys can be destroyed")
        self._take(self._file.change(verb))

    def _take(self, opened: Opened) -> None:
        self._contents, self._master, self._stamp = opened.contents, opened.master, opened.stamp
        self._under_master = key_under_master(opened.master)

    def _key_of(self, subject: str, generation: int) -> bytes:
        slot = slot_of(subject)
        if not self.holds(slot, generation):
            raise UnableToOpen("the wrapping key of the value is not in keyring.sealed: it was destroyed")
        key = self._wrapping_key(slot, generation)
        assert key is not None
        return key

    def _wrapping_key(self, slot: int, generation: int) -> bytes | None:
        if generation == UNDER_MASTER:
            return self._under_master
        if self._file is None:
            return derived_slot_key(self._master, slot, generation)
        return self._contents.slots[slot].get(generation)


def load_keyring(home: Home) -> Keyring:
    """The keyring of this installation, from ``keys/keyring.sealed`` under the master key.

    The master key is SHOUXIN_MASTER_KEY (base64), else ``keys/master.key``. Files are made at first use,
    readable by their owner alone. Raises UnableToLoadKey.
    """
    file = KeyFile(home.keys)
    opened = file.open()
    return Keyring(opened.contents, master=opened.master, file=file, stamp=opened.stamp, cipher=_cipher())


def _cipher() -> SealingCipher:
    chosen = os.environ.get(CIPHER_VARIABLE) or SealingCipher.AES_256_GCM
    try:
        return SealingCipher(chosen)
    except ValueError:
        known = " or ".join(SealingCipher)
        raise UnableToLoadKey(f"{CIPHER_VARIABLE} is {chosen!r}; set it to {known}") from None


def _with_later(contents: Contents, newest: dict[int, int]) -> Contents:
    slots = list(contents.slots)
    for slot, generation in newest.items():
        if max(slots[slot]) <= generation:
            slots[slot] = {**slots[slot], generation + 1: os.urandom(KEY_BYTES)}
    return Contents(contents.token_key, contents.secret_key, tuple(slots))


def _without_older(contents: Contents, kept: dict[int, int]) -> Contents:
    slots = list(contents.slots)
    for slot, generation in kept.items():
        if generation in slots[slot]:
            slots[slot] = {one: key for one, key in slots[slot].items() if one >= generation}
    return Contents(contents.token_key, contents.secret_key, tuple(slots))
