"""Tests about the code itself: sizes, names, words."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src/shouxin").rglob("*.py"))
FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = 500
ROOMS_WITHOUT_FURNITURE = {"kernel", "database", "entrypoints", "simulation", "__pycache__"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_longer_than_a_reader_can_hold():
    long = {relative(p): n for p in SOURCES if (n := len(p.read_text().splitlines())) > FILE_LINES_MAX}
    assert not long


def test_no_function_is_longer_than_a_page():
    long = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{relative(path)}:{node.lineno} {node.name} {lines}")
    assert not long, "\n".join(long)


def test_no_module_takes_a_standard_library_name():
    taken = [relative(p) for p in SOURCES if p.stem in sys.stdlib_module_names]
    assert not taken


@pytest.mark.parametrize("room", sorted(p.name for p in (ROOT / "src/shouxin").iterdir() if p.is_dir()))
def test_every_room_has_the_same_furniture(room):
    if room in ROOMS_WITHOUT_FURNITURE:
        return
    folder = ROOT / "src/shouxin" / room
    # A room may grow wings (credit/ledger); then each wing has furniture of its own.
    wings = [p for p in folder.iterdir() if p.is_dir() and (p / "domain.py").exists()]
    for place in wings or [folder]:
        for furniture in ("__init__", "domain", "service", "store"):
            assert (place / f"{furniture}.py").exists() or (place / furniture).is_dir(), (
                f"{place} lacks {furniture}"
            )


def test_no_address_or_machine_path_is_committed():
    suspicious = re.compile(r"(?<![\w.])/(?:work|root|home)/\w|pypi\.org|registry\.npmjs|files\.pythonhosted")
    found = []
    for path in [*SOURCES, *(ROOT / "pins").iterdir(), ROOT / "package-lock.json", *ROOT.glob("*.md")]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if suspicious.search(line):
                found.append(f"{relative(path)}:{number} {line.strip()[:80]}")
    assert not found


def test_the_domain_reads_no_clock_and_draws_no_random_number():
    forbidden = re.compile(
        r"\b(datetime\.now|date\.today|time\.time|utc_now|system_clock|random\.|secrets\.|os\.environ)"
    )
    found = [
        f"{relative(p)}: {match.group()}"
        for p in SOURCES
        if p.stem == "domain" and (match := forbidden.search(p.read_text()))
    ]
    assert not found


def banned_words():
    rows = [
        line.split("|") for line in (ROOT / "GLOSSARY.md").read_text().splitlines() if line.startswith("|")
    ]
    words = {word.strip() for row in rows[2:] for word in row[3].split(",")}
    return {word for word in words if re.fullmatch("[a-z]+", word)}


def test_names_keep_to_the_glossary():
    banned = banned_words()
    assert {"client", "loan", "ticket"} <= banned
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                words = set(re.findall("[a-z]+", re.sub("([A-Z])", r"_\1", node.name).lower()))
                found += [f"{relative(path)}:{node.lineno} {node.name}" for _ in words & banned]
    assert not found


def test_every_link_in_the_documents_leads_somewhere():
    broken = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        targets = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", path.read_text())
        broken += [
            f"{relative(path)} -> {target}" for target in targets if not (path.parent / target).exists()
        ]
    assert not broken
