"""The values of a model document: sections, sentences, tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shouxin.kernel import Bilingual

Cell = str | Bilingual
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """A table of a section; a column of figures is set to the right."""

    title: Bilingual
    heads: tuple[Bilingual, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class DocumentSection:
    """A section: its heading, sentences, and tables."""

    code: str
    heading: Bilingual
    lines: tuple[Bilingual, ...] = ()
    tables: tuple[DocumentTable, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelDocument:
    """Everything about one version of a model, in the order in which it is asked."""

    model_hash: str
    name: str
    stage: str
    sections: tuple[DocumentSection, ...]

    def as_data(self) -> dict[str, Any]:
        """Plain JSON; texts as ``{"zh", "en"}``."""
        return {
            "model": self.model_hash,
            "name": self.name,
            "stage": self.stage,
            "sections": [
                {
                    "code": section.code,
                    "heading": section.heading.as_data(),
                    "lines": [line.as_data() for line in section.lines],
                    "tables": [_table_data(table) for table in section.tables],
                }
                for section in self.sections
            ],
        }


def _table_data(table: DocumentTable) -> dict[str, Any]:
    return {
        "title": table.title.as_data(),
        "heads": [head.as_data() for head in table.heads],
        "rows": [
            [cell.as_data() if isinstance(cell, Bilingual) else cell for cell in row] for row in table.rows
        ],
    }
