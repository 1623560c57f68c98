"""How the bureau behaves: well, or late, broken, garbled or rude, as its control path last said."""

from __future__ import annotations

import threading
from enum import StrEnum

import msgspec


class Mode(StrEnum):
    """What happens to a request that is met with misbehaviour."""

    WELL = "well"
    ERROR = "error"
    SILENT = "silent"
    TRICKLE = "trickle"
    DROP = "drop"
    DROP_LATE = "drop_late"
    MALFORMED = "malformed"
    WRONG_SCORE = "wrong_score"
    THROTTLE = "throttle"


class BehaviourMessage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of ``PUT /control``: the next ``times`` requests (all, when null) are met with ``mode``."""

    mode: Mode = Mode.WELL
    times: int | None = None
    latency_seconds: float = 0.0


class Behaviour:
    """The behaviour in force; requests come on many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told = BehaviourMessage()
        self._left: int | None = None

    def tell(self, message: BehaviourMessage) -> None:
        """Behave so from now on."""
        with self._lock:
            self._told, self._left = message, message.times

    def next(self) -> tuple[Mode, float]:
        """How the next request is met, and how many seconds it waits first."""
        with self._lock:
            if self._left is None:
                return self._told.mode, self._told.latency_seconds
            if self._left == 0:
                return Mode.WELL, 0.0
            self._left -= 1
            return self._told.mode, self._told.latency_seconds
