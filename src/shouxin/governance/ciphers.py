"""Ciphers: how a value is made unreadable, and which of the two ways a new value takes.

The first byte of everything sealed says how it was sealed, so both ways always open and the setting only
says what is done from now on. Both are bound to a context: a value moved to another place does not open.
"""

from __future__ import annotations

import hmac
import os
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as Primitive
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
# SM4 has keys of 128 bits (GB/T 32907-2016); its key follows from ours, so one key never serves two ciphers.
_SM4_KEY_BYTES = 16
_AES_256_GCM = b"\x01"
_SM4_GCM = b"\x02"


class UnableToOpen(RuntimeError):
    """The sealed value was made for another subject or field, under another key, or was changed."""


class SealingCipher(StrEnum):
    """How new values are sealed."""

    AES_256_GCM = "aes-256-gcm"
    SM4_GCM = "sm4-gcm"


def encrypt(
    key: bytes, clear: bytes, *, context: str, cipher: SealingCipher = SealingCipher.AES_256_GCM
) -> bytes:
    """Seal under a key of 32 bytes with a fresh nonce, bound to ``context``."""
    nonce = os.urandom(_NONCE_BYTES)
    if cipher is SealingCipher.SM4_GCM:
        sealing = Primitive(SM4(_sm4_key(key)), GCM(nonce)).encryptor()
        sealing.authenticate_additional_data(context.encode())
        return _SM4_GCM + nonce + sealing.update(clear) + sealing.finalize() + sealing.tag
    return _AES_256_GCM + nonce + AESGCM(key).encrypt(nonce, clear, context.encode())


def decrypt(key: bytes, sealed: bytes, *, context: str) -> bytes:
    """What ``encrypt`` sealed under the same key for the same context; raises UnableToOpen."""
    how, nonce, body = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if how not in {_AES_256_GCM, _SM4_GCM}:
        raise UnableToOpen("the value is not sealed in a way that this version knows")
    try:
        if how == _AES_256_GCM:
            return AESGCM(key).decrypt(nonce, body, context.encode())
        text, tag = body[:-_TAG_BYTES], body[-_TAG_BYTES:]
        opening = Primitive(SM4(_sm4_key(key)), GCM(nonce, tag)).decryptor()
        opening.authenticate_additional_data(context.encode())
        return opening.update(text) + opening.finalize()
    except (InvalidTag, ValueError):
        raise UnableToOpen("the sealed value does not open with the keys of this installation") from None


def _sm4_key(key: bytes) -> bytes:
    return hmac.digest(key, b"shouxin sm4-gcm 1", "sha256")[:_SM4_KEY_BYTES]
