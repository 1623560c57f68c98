"""Journal: what a demo has done, so that a second run goes on where the first ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

Count = int | tuple[int, dict[str, Any]]


@dataclass(slots=True)
class StageDone:
    """A finished stage: how many things it dealt with, how long it took, and what later stages need of it."""

    name: str
    count: int
    seconds: float
    kept: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Journal:
    """The stages of one demo, written to a file after each."""

    path: Path
    settings: dict[str, Any]
    stages: list[StageDone]

    @classmethod
    def opened(cls, path: Path, settings: dict[str, Any]) -> Journal:
        """The journal at ``path``, or a new one with these settings; the settings of an old one stand."""
        if not path.exists():
            return cls(path, settings, [])
        data = json.loads(path.read_text())
        return cls(path, data["settings"], [StageDone(**stage) for stage in data["stages"]])

    def kept(self, stage: str, name: str) -> Any:
        """What a finished stage kept under ``name``."""
        return next(done for done in self.stages if done.name == stage).kept[name]

    def run(self, name: str, work: Callable[[], Count]) -> tuple[StageDone, bool]:
        """Do a stage once; the flag says whether it was done now (else earlier)."""
        for done in self.stages:
            if done.name == name:
                return done, False
        started = perf_counter()
        result = work()
        count, kept = result if isinstance(result, tuple) else (result, {})
        stage = StageDone(name, count, round(perf_counter() - started, 1), kept)
        self.stages.append(stage)
        self._write()
        return stage, True

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        body = {"settings": self.settings, "stages": [asdict(stage) for stage in self.stages]}
        making = self.path.with_suffix(".making")
        making.write_text(json.dumps(body, indent=1, ensure_ascii=False))
        making.replace(self.path)
