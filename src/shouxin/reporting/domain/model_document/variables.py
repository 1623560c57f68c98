"""The section about the variables: what is read, what was left out, and how that went from fold to fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from shouxin.kernel import Bilingual
from shouxin.reporting.domain.model_document.cells import interval, share_of_missing, window
from shouxin.reporting.domain.model_document.facts import ModelFacts
from shouxin.reporting.domain.model_document.values import NOTHING, Cell, DocumentSection, DocumentTable

_WHY = {
    "constant": Bilingual("无可学", "nothing to learn"),
    "leak": Bilingual("疑似泄漏", "a leak"),
    "weak": Bilingual("信息值过低", "too little information"),
    "moved": Bilingual("分布不稳", "moved in a month"),
    "flipped": Bilingual("方向反复", "turned round in months"),
    "twin": Bilingual("与更强者同序", "twin of a stronger one"),
}


def features(facts: ModelFacts) -> DocumentSection:
    """What it reads, and what was left out."""
    told = {variable["name"]: variable for variable in facts.report.get("variables", ())}
    rows = []
    for feature in facts.artefact.features:
        definition = facts.definitions.get(feature.name)
        iv = told.get(feature.name, {}).get("iv")
        rows.append(
            (
                feature.name,
                feature.label,
                {
                    1: Bilingual("越高风险越大", "higher is riskier"),
                    -1: Bilingual("越高越安全", "higher is safer"),
                }.get(feature.direction, NOTHING),
                interval(iv, digits=3),
                window(definition),
                definition.owner if definition else NOTHING,
                share_of_missing(feature.rows, feature.regular),
            )
        )
    dropped = [(item["name"], item["reason"]) for item in facts.report.get("dropped", ())]
    return DocumentSection(
        "features",
        Bilingual("变量：含义、方向与筛选", "Features: meaning, direction and selection"),
        (),
        (
            DocumentTable(
                Bilingual("入模变量", "Features used"),
                (
                    Bilingual("名称", "Name"),
                    Bilingual("含义", "Meaning"),
                    Bilingual("预期方向", "Expected direction"),
                    Bilingual("信息值", "IV"),
                    Bilingual("窗口", "Window"),
                    Bilingual("负责人", "Owner"),
                    Bilingual("缺失占比", "Missing"),
                ),
                tuple(rows),
            ),
            DocumentTable(
                Bilingual("未入模变量", "Features not used"),
                (Bilingual("名称", "Name"), Bilingual("原因", "Why")),
                tuple(dropped),
            ),
            *_by_fold(facts.report.get("selection"), read=frozenset(facts.artefact.names)),
        ),
    )


def _by_fold(selection: Mapping[str, Any] | None, *, read: frozenset[str]) -> Iterator[DocumentTable]:
    """How often each variable was kept and read by the folds, the steadiest first; no table without folds.

    Those that neither a fold kept or read nor the model reads are counted in the last row.
    """
    if not selection:
        return
    folds = len(selection["folds"])
    rows: list[tuple[Cell, ...]] = []
    never = 0
    for variable in selection["variables"]:
        if not variable["kept"] and not variable["used"] and variable["name"] not in read:
            never += 1
            continue
        rows.append(
            (
                variable["name"],
                f"{variable['kept']} / {folds}",
                NOTHING if variable["used"] is None else f"{variable['used']} / {folds}",
                _range([one and one["value"] for one in variable["iv"]], digits=3),
                _range([one and one["value"] for one in variable["f"]], digits=1),
                _range(variable["mutual_information"], digits=4),
                _range(variable["psi"], digits=3) if selection["months"] else NOTHING,
                _reasons(variable["why"]),
            )
        )
    if never:
        name = Bilingual(f"其余{never}个变量", f"{never} other variables")
        rows.append((name, f"0 / {folds}", *[NOTHING] * 6))
    yield DocumentTable(
        Bilingual(f"逐折筛选（{folds}折）", f"Selection by fold ({folds})"),
        (
            Bilingual("名称", "Name"),
            Bilingual("保留的折数", "Kept in"),
            Bilingual("入模的折数", "Read in"),
            Bilingual("信息值", "IV"),
            Bilingual("F", "F"),
            Bilingual("互信息", "Information"),
            Bilingual("最差月PSI", "PSI, worst month"),
            Bilingual("剔除的原因", "Why left out"),
        ),
        tuple(rows),
    )


def _range(figures: list[float | None], *, digits: int) -> str:
    """From the least to the greatest of the folds."""
    known = [figure for figure in figures if figure is not None]
    return f"{min(known):.{digits}f} … {max(known):.{digits}f}" if known else NOTHING


def _reasons(codes: list[str | None]) -> Cell:
    """Each reason with the number of folds, the commonest first."""
    counted = Counter(code for code in codes if code is not None).most_common()
    if not counted:
        return NOTHING
    return Bilingual(
        "，".join(f"{_WHY[code].zh} ×{count}" for code, count in counted),
        ", ".join(f"{_WHY[code].en} ×{count}" for code, count in counted),
    )
