"""One spelling for a value, so that the same content always has the same hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; NaN and infinities are refused (ValueError)."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def content_hash(value: Any) -> str:
    """``sha256:`` and 64 hex digits over the canonical JSON of ``value``."""
    return f"sha256:{hashlib.sha256(canonical_json(value)).hexdigest()}"
