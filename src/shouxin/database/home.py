"""Home: the one folder below which everything made by running is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """Where an installation keeps its data: database, history, keys, models, reports."""

    path: Path
    database_url: str | None = None

    @property
    def server(self) -> Path:
        """Folder of the embedded PostgreSQL."""
        return self.path / "postgresql"

    @property
    def history(self) -> Path:
        """Folder of the Parquet history that batch features read."""
        return self.path / "history"

    @property
    def keys(self) -> Path:
        """Folder of the master key; never inside a backup of the data."""
        return self.path / "keys"

    @property
    def models(self) -> Path:
        """Folder where trained artefacts are written before they are registered."""
        return self.path / "models"


def find_home(path: Path | None = None) -> Home:
    """The home named by ``path``, else by SHOUXIN_HOME, else ``var`` below the current folder."""
    chosen = path or Path(os.environ.get("SHOUXIN_HOME", "var"))
    return Home(chosen.absolute(), os.environ.get("SHOUXIN_DATABASE_URL") or None)


def with_driver(url: str) -> str:
    """Accept the usual ``postgresql://`` spelling and speak through psycopg 3."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url
