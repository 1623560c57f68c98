"""Keys: one master key seals everything personal; nothing readable is kept without it.

The master key never encrypts anything itself. Three keys follow from it (HKDF-SHA256, RFC 5869):
one names values (*tokens*), one wraps the data key of each subject, one seals the house's own
secrets. Without the data key of a subject nothing sealed for it can be read.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shouxin.database import Home
from shouxin.governance.domain.personal import normalised

KEY_BYTES = 32
KEY_VARIABLE = "SHOUXIN_MASTER_KEY"
_NONCE_BYTES = 12
# The first byte of everything sealed says how; another cipher gets another number.
_AES_256_GCM = b"\x01"
# 120 bits: no two of a billion values share a token by accident.
_TOKEN_BYTES = 15


class UnableToLoadKey(RuntimeError):
    """The master key is missing, damaged, or readable by others; the message says how to mend it."""


class UnableToOpen(RuntimeError):
    """The sealed value was made for another subject or field, under another key, or was changed."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys that follow from the master key. Never printed: its ``repr`` shows nothing."""

    _token_key: bytes = field(repr=False)
    _wrap_key: bytes = field(repr=False)
    _secret_key: bytes = field(repr=False)

    @classmethod
    def from_master(cls, master: bytes) -> Keyring:
        """The keyring of a master key of 32 bytes."""
        assert len(master) == KEY_BYTES, "a master key has 32 bytes"
        return cls(_derived(master, "token"), _derived(master, "wrap"), _derived(master, "secret"))

    def token(self, field: str, value: str) -> str:
        """The blind name of a value: the same field and value always give the same ``tok_..``.

        The value is normalised first (``normalised``), so two spellings of one phone share a token.
        """
        # Half a surrogate pair is not text, but a shop may send one, and a token must not raise.
        message = f"{field}\x1f{normalised(field, value)}".encode(errors="surrogatepass")
        return "tok_" + hmac.digest(self._token_key, message, "sha256")[:_TOKEN_BYTES].hex()

    def wrap(self, subject: str, data_key: bytes) -> bytes:
        """Encrypt the data key of a subject for storage."""
        return encrypt(self._wrap_key, data_key, context=f"data_key\x1f{subject}")

    def unwrap(self, subject: str, wrapped: bytes) -> bytes:
        """The data key of a subject; raises UnableToOpen."""
        return decrypt(self._wrap_key, wrapped, context=f"data_key\x1f{subject}")

    def seal_secret(self, purpose: str, secret: str) -> bytes:
        """Seal a secret of the house itself (an operator's code generator), bound to ``purpose``."""
        return encrypt(self._secret_key, secret.encode(), context=f"secret\x1f{purpose}")

    def open_secret(self, purpose: str, sealed: bytes) -> str:
        """Open what ``seal_secret`` sealed for the same purpose; raises UnableToOpen."""
        return decrypt(self._secret_key, sealed, context=f"secret\x1f{purpose}").decode()


def load_keyring(home: Home) -> Keyring:
    """The keyring of this installation: SHOUXIN_MASTER_KEY (base64), else ``keys/master.key``.

    The file is made at first use, readable by its owner alone. Raises UnableToLoadKey.
    """
    given = os.environ.get(KEY_VARIABLE)
    if given:
        return Keyring.from_master(_decoded(given, place=KEY_VARIABLE))
    path = home.keys / "master.key"
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise UnableToLoadKey(f"{path} can be read by others; run: chmod 600 {path}")
    return Keyring.from_master(_decoded(path.read_text(), place=str(path)))


def encrypt(key: bytes, clear: bytes, *, context: str) -> bytes:
    """AES-256-GCM with a fresh nonce, bound to ``context``."""
    nonce = os.urandom(_NONCE_BYTES)
    return _AES_256_GCM + nonce + _cipher(key).encrypt(nonce, clear, context.encode())


def decrypt(key: bytes, sealed: bytes, *, context: str) -> bytes:
    """What ``encrypt`` sealed under the same key for the same context; raises UnableToOpen."""
    if sealed[:1] != _AES_256_GCM:
        raise UnableToOpen("the value is not sealed in a way that this version knows")
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return _cipher(key).decrypt(nonce, body, context.encode())
    except (InvalidTag, ValueError):
        raise UnableToOpen("the sealed value does not open with the keys of this installation") from None


@lru_cache(maxsize=4096)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _derived(master: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"shouxin {purpose} 1".encode()).derive(master)


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
        Path(path).hardlink_to(draft)
    except FileExistsError:
        pass  # another process made it in the same moment, and theirs is the key
    finally:
        Path(draft).unlink()
