"""An assessment as one file that anybody can read, in both languages: plots, tables, mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from shouxin.entrypoints.console.paper import paper
from shouxin.entrypoints.console.svg_plots import Dot, calibration_chart, curve_chart
from shouxin.kernel import Bilingual
from shouxin.scoring import ASSESSMENT_WORDS, Assessment

_CHART_STYLE = Markup(
    "svg{max-width:21rem;width:100%;height:auto}svg text{font-size:11px;fill:currentColor}"
    ".charts{display:flex;flex-wrap:wrap;gap:1.5rem}.charts figure{margin:0;flex:1 1 19rem}"
    ".gridline,.axis{stroke:#8884}"
    ".diagonal{stroke:#888;stroke-dasharray:4 4;fill:none}"
    ".score-line{fill:none;stroke:#2b6cb0;stroke-width:2}"
    ".score-dot{fill:#2b6cb0}.whisker{stroke:#2b6cb0;stroke-width:2;opacity:.55}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
)
_PAGE = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{{ title }}</title>
<style>{{ style }}{{ chart_style }}</style></head><body>
<h1>模型评估 <span lang="en">/ Assessment of a model</span></h1>
<p>{{ title }}<br>{{ model_hash }}</p>
<p>{{ scope.zh }}<br><span lang="en">{{ scope.en }}</span></p>
<div class="charts">{% for caption, chart in charts %}<figure>{{ chart }}<figcaption>{{ both(caption)
}}</figcaption></figure>{% endfor %}</div>
{% for section in sections %}<h2>{{ both(section.title) }}</h2>{% if section.note %}<p>{{ section.note.zh
}}<br><span lang="en">{{ section.note.en }}</span></p>{% endif %}
{% if section.rows %}<table><thead><tr>{% for head in section.heads %}<th>{{ both(head) }}</th>{% endfor
%}</tr></thead><tbody>{% for row in section.rows %}<tr>{% for cell in row %}<td>{{ both(cell)
}}</td>{% endfor %}</tr>{% endfor %}</tbody></table>{% else %}<p class="none">无 <span
lang="en">/ none</span></p>{% endif %}{% endfor %}
</body></html>
"""
_NOTHING = "–"
_BY_GROUP = ("approved", "approval_ratio", "auc", "slope", "fpr", "fnr")
_COUNTS = (Bilingual("样本", "Rows"), Bilingual("违约", "Events"))


def assessment_page(found: Assessment, *, title: str) -> str:
    """The HTML of an assessment; every value is escaped."""
    short, cut = found.performance.evaluation, found.performance.cut_off
    scope = Bilingual(
        f"{short.n:,} 行，违约率 {short.event_rate:.2%}；判为违约的界限 {cut.pd:.4f}；括号内为95%区间。",
        f"{short.n:,} rows, event rate {short.event_rate:.2%}; called an event from {cut.pd:.4f} on "
        f"({cut.chosen}); 95 % intervals in brackets.",
    )
    return paper(
        _PAGE,
        title=title,
        model_hash=found.model_hash,
        scope=scope,
        charts=_charts(found),
        sections=_sections(found),
        both=_both,
        chart_style=_CHART_STYLE,
    )


def _charts(found: Assessment) -> list[tuple[Bilingual, Markup]]:
    dots = [
        Dot(line.foretold, line.observed.value, line.observed.low, line.observed.high)
        for line in found.calibration
    ]
    calibrated = Bilingual("校准：预测与实际", "Calibration: foretold and observed")
    roc, gains = Bilingual("ROC曲线", "ROC curve"), Bilingual("捕获曲线", "Gains: events caught")
    return [
        (
            calibrated,
            calibration_chart(dots, title=_both(calibrated), across="预测 foretold", up="实际 observed"),
        ),
        (
            roc,
            curve_chart(found.curves.roc, title=_both(roc), across="误拒率 false alarms", up="捕获率 caught"),
        ),
        (
            gains,
            curve_chart(found.curves.gains, title=_both(gains), across="样本占比 rows", up="捕获率 caught"),
        ),
    ]


def _sections(found: Assessment) -> list[Mapping[str, Any]]:
    figures = found.performance.as_data()
    told = [(words, interval_text(figures[name])) for name, words in ASSESSMENT_WORDS.items()]
    heads = (Bilingual("指标", "Figure"), Bilingual("数值", "Value"))
    return [
        _section(Bilingual("指标", "Figures"), heads, told),
        _section(
            Bilingual("校准表", "Calibration by bin"),
            (*_COUNTS, Bilingual("预测", "Foretold"), Bilingual("实际", "Observed")),
            [
                (
                    f"{line.rows:,}",
                    f"{line.events:,}",
                    f"{line.foretold:.4f}",
                    interval_text(line.observed.as_data()),
                )
                for line in found.calibration
            ],
        ),
        _section(
            Bilingual("捕获与提升", "Gains and lift"),
            (
                *_COUNTS,
                Bilingual("违约率", "Event rate"),
                Bilingual("累计捕获", "Captured"),
                Bilingual("累计提升", "Lift"),
            ),
            [
                (
                    f"{line.rows:,}",
                    f"{line.events:,}",
                    f"{line.event_rate:.2%}",
                    f"{line.captured:.1%}",
                    f"{line.lift:.2f}",
                )
                for line in found.gains
            ],
        ),
        *(_segments(part.as_data()) for part in found.segments),
        _mistakes(found),
        *(_sources(source.as_data()) for source in found.sources),
    ]


def _segments(part: Mapping[str, Any]) -> Mapping[str, Any]:
    heads = (
        Bilingual("分组", "Group"), *_COUNTS, Bilingual("通过率", "Approved"),
        Bilingual("与最高组之比", "By the highest"), Bilingual("AUC", "AUC"), Bilingual("校准斜率", "Slope"),
        Bilingual("误拒率", "FPR"), Bilingual("漏拒率", "FNR"), Bilingual("说明", "Note"),
    )  # fmt: skip
    rows = [
        (
            line["name"], f"{line['rows']:,}", f"{line['events']:,}",
            *(interval_text(line[name]) for name in _BY_GROUP),
            line["why_not"] or "",
        )
        for line in part["groups"]
    ]  # fmt: skip
    low = part["below_four_fifths"]
    note = Bilingual(
        f"低于五分之四规则的分组：{'、'.join(low) or '无'}。分组列由使用者给出，不参与建模。",
        f"Below four fifths: {', '.join(low) or 'none'}. The column is given to judge by; no model reads it.",
    )
    return _section(Bilingual(f"按 {part['column']} 分组", f"By {part['column']}"), heads, rows, note=note)


def _mistakes(found: Assessment) -> Mapping[str, Any]:
    rows = [
        (
            item.row,
            str(item.event),
            f"{item.pd:.4f}",
            Bilingual(
                "；".join(f"{cause.meaning.zh} = {_value(cause.value)}" for cause in item.misled_by)
                or _NOTHING,
                "; ".join(f"{cause.meaning.en} = {_value(cause.value)}" for cause in item.misled_by)
                or _NOTHING,
            ),
        )
        for item in found.mistakes
    ]
    heads = (
        Bilingual("行", "Row"), Bilingual("实际", "Event"), Bilingual("预测", "PD"),
        Bilingual("误导来源", "Misled by"),
    )  # fmt: skip
    return _section(Bilingual("最自信的错误", "Most confident mistakes"), heads, rows)


def _sources(source: Mapping[str, Any]) -> Mapping[str, Any]:
    kinds = {"event let through": "漏过的违约", "non-event turned away": "误拒的好客户"}
    rows = [(item["feature"], f"{item['pull']:+.3f}", f"{item['leads']:,}") for item in source["features"]]
    heads = (
        Bilingual("变量", "Feature"), Bilingual("对错误的推动", "Pull to the wrong answer"),
        Bilingual("为首的行数", "Leads"),
    )  # fmt: skip
    wrong, right = source["missing_wrong"], source["missing_right"]
    note = Bilingual(
        f"{source['rows']:,} / {source['of']:,}；缺失占比 {wrong:.1%}，判对者 {right:.1%}。",
        f"{source['rows']:,} of {source['of']:,}; missing {wrong:.1%}, judged rightly {right:.1%}.",
    )
    title = Bilingual(f"错误来源：{kinds[source['kind']]}", f"Where mistakes come from: {source['kind']}")
    return _section(title, heads, rows, note=note)


def _section(
    title: Bilingual,
    heads: Sequence[Bilingual],
    rows: Sequence[tuple[Any, ...]],
    *,
    note: Bilingual | None = None,
) -> Mapping[str, Any]:
    return {"title": title, "heads": heads, "rows": rows, "note": note}


def interval_text(figure: Mapping[str, float | None] | None) -> str:
    """A figure with its interval, or a dash."""
    if not figure or figure.get("value") is None:
        return _NOTHING
    low, high = figure.get("low"), figure.get("high")
    told = f"{figure['value']:.4f}"
    return told if low is None or high is None else f"{told} ({low:.4f} … {high:.4f})"


def _value(value: float | str | None) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unlike itself
        return "∅"
    return value if isinstance(value, str) else f"{value:,.4g}"


def _both(cell: str | Bilingual) -> str:
    if isinstance(cell, str):
        return cell
    return cell.zh if cell.zh == cell.en else f"{cell.zh} / {cell.en}"
