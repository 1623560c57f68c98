"""Bilingual: a text for people, in Chinese and in English; neither may be missing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One text in the two languages of the house."""

    zh: str
    en: str

    def __post_init__(self) -> None:
        assert self.zh and self.en, "a text for people has both languages"

    def in_language(self, language: str) -> str:
        """The Chinese text for ``zh``, else the English one."""
        return self.zh if language == "zh" else self.en

    def as_data(self) -> dict[str, str]:
        """The shape that the API answers with: ``{"zh": .., "en": ..}``."""
        return {"zh": self.zh, "en": self.en}
