"""The map of the house is a contract: pyproject.toml draws it, import-linter holds the code against it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sys.executable).parent / "lint-imports"),
        "--no-cache",
        "--config",
        str(ROOT / "pyproject.toml"),
    ]
    paths = f"{folder}{os.pathsep}{ROOT / 'tests/house'}"
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_imports_keep_every_contract():
    result = lint(ROOT / "src")
    assert result.returncode == 0, result.stdout[-4000:]
    assert "7 kept, 0 broken" in result.stdout


def test_a_broken_layer_is_found(tmp_path):
    import shutil

    shutil.copytree(
        ROOT / "src/shouxin", tmp_path / "shouxin", ignore=shutil.ignore_patterns("static", "__pycache__")
    )
    with (tmp_path / "shouxin/kernel/money.py").open("a") as file:
        file.write("\n\ndef _spy() -> None:\n    from shouxin import credit  # noqa\n")
    result = lint(tmp_path)
    assert result.returncode != 0
    assert "shouxin.kernel" in result.stdout
