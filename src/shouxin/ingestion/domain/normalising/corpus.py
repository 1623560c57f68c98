"""How well addresses are read: against a corpus in which people marked the parts.

The corpus has a line for each letter with its mark (``浙 B-prov``), and an empty line after each address.
A part counts as found when exactly its letters were taken for the same level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shouxin.ingestion.domain.normalising.addresses import Address, parse_address

# The corpus's marks -> our levels; its other marks (building, floor, room, shop) stay in the rest.
MARKS = {
    "prov": "province",
    "city": "city",
    "district": "district",
    "town": "town",
    "community": "village",
    "road": "road",
    "roadno": "number",
}
_PLACES = ("province", "city", "district")
_EXAMPLES_MAX = 5
_SHOWN_MAX = 12
Marked = list[tuple[str, str]]


@dataclass(slots=True)
class CorpusReport:
    """``addresses`` read, those whose ``divisions`` are exactly the marked ones, and what went wrong."""

    addresses: int = 0
    with_divisions: int = 0
    exact: int = 0
    found: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    marked: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def as_data(self) -> dict[str, object]:
        """Rates to four decimals: ``parse_rate`` is the share whose divisions are all as marked."""
        levels = {
            level: {
                "precision": _rate(self.found[level], self.taken[level]),
                "recall": _rate(self.found[level], self.marked[level]),
                "marked": self.marked[level],
            }
            for level in MARKS.values()
        }
        return {
            "addresses": self.addresses,
            "with_divisions": self.with_divisions,
            "parse_rate": _rate(self.exact, self.addresses),
            "levels": levels,
            "errors": dict(self.errors.most_common()),
            "problems": dict(self.problems.most_common()),
            "examples": self.examples,
        }


def marked_addresses(lines: Iterable[str]) -> Iterator[Marked]:
    """The addresses of a corpus as (mark, text) spans in order."""
    spans: Marked = []
    for line in lines:
        letter, _, mark = line.rstrip("\r\n").rpartition(" ")
        if not letter:
            if spans:
                yield spans
            spans = []
        elif mark.startswith("I-") and spans:
            spans[-1] = (spans[-1][0], spans[-1][1] + letter)
        else:
            spans.append((mark.partition("-")[2], letter))
    if spans:
        yield spans


def measure(corpus: Iterable[Marked]) -> CorpusReport:
    """Read every address and compare."""
    report = CorpusReport()
    for spans in corpus:
        text = "".join(letters for _, letters in spans)
        _compare(report, parse_address(text), [(MARKS[m], t) for m, t in spans if m in MARKS], text)
    return report


def _compare(report: CorpusReport, read: Address, marked: Marked, text: str) -> None:
    taken = [(level, part) for level, part in read.spans if level in MARKS.values()]
    wanted, got = Counter(marked), Counter(taken)
    for (level, _), count in (wanted & got).items():
        report.found[level] += count
    for counter, spans in ((report.taken, taken), (report.marked, marked)):
        counter.update(level for level, _ in spans)
    report.addresses += 1
    report.with_divisions += any(level in _PLACES for level, _ in marked)
    report.problems.update(problem.value for problem in read.problems)
    # People marked 义乌市 now as a city, now as a district; what counts is that the same places were seen.
    exact = _places(marked) == _places(taken)
    report.exact += exact
    if not exact:
        _note(report, _kind_of_error(marked, taken), text)


def _places(spans: Marked) -> str:
    return "".join(dict.fromkeys(part for level, part in spans if level in _PLACES))


def _kind_of_error(marked: Marked, taken: Marked) -> str:
    for level in _PLACES:
        want = [part for kind, part in marked if kind == level]
        have = [part for kind, part in taken if kind == level]
        if want and not have:
            return f"{level} not seen"
        if have and not want:
            return f"{level} seen where none is marked"
        if want != have:
            return f"{level} read differently"
    return "places in another order"


def _note(report: CorpusReport, error: str, text: str) -> None:
    report.errors[error] += 1
    shown = report.examples.setdefault(error, [])
    if len(shown) < _EXAMPLES_MAX:
        # The beginning is where places stand; the rest may be somebody's door.
        shown.append(text[:_SHOWN_MAX] + ("…" if len(text) > _SHOWN_MAX else ""))


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
