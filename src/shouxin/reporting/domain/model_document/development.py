"""Sections about how a model came to be: purpose, data, method, tables."""

from __future__ import annotations

from shouxin.kernel import Bilingual
from shouxin.reporting.domain.model_document.cells import (
    bin_labels,
    facts_table,
    figure,
)
from shouxin.reporting.domain.model_document.facts import ModelFacts
from shouxin.reporting.domain.model_document.values import NOTHING, Cell, DocumentSection, DocumentTable
from shouxin.scoring.domain.registry import STAGE_WORDS, ModelStage


def purpose(facts: ModelFacts) -> DocumentSection:
    """What the model is for, and what it is not for."""
    stage = STAGE_WORDS[ModelStage(facts.row.stage)]
    return DocumentSection(
        "purpose",
        Bilingual("用途与适用范围", "Purpose, use and limits of use"),
        (
            Bilingual(
                f"估计顾客发生“{facts.event.zh}”的概率，用于评级、授信和下单时的信用决策。",
                f"Estimates the probability of “{facts.event.en}” for grading, limits and decisions "
                "at checkout.",
            ),
            Bilingual(f"当前阶段：{stage.zh}。", f"Stage now: {stage.en}."),
            Bilingual(
                "只适用于开发样本所代表的人群；未见过的类别和缺失值按声明的规则处理。不得用于信用决策以外的用途，每次决定都须附理由。",
                "Only for the population that the development rows stand for; values never met and "
                "missing ones follow "
                "the declared policy. Not for any purpose other than credit decisions, each with its "
                "reasons.",
            ),
        ),
    )


def data(facts: ModelFacts) -> DocumentSection:
    """What it learnt from."""
    trained, report = facts.artefact.trained, facts.report
    period = " … ".join(part[:10] for part in trained.period) if trained.period else NOTHING
    corrections = report.get("corrections") or {}
    rows: list[tuple[Cell, ...]] = [
        (Bilingual("样本数", "Rows"), f"{trained.rows:,}"),
        (Bilingual("违约数", "Events"), f"{trained.events:,}"),
        (Bilingual("违约率", "Event rate"), f"{trained.events / trained.rows:.2%}"),
        (Bilingual("观察区间", "Period"), period),
        (
            Bilingual("观察点", "Dates"),
            ", ".join(point[:10] for point in report.get("points", ())) or NOTHING,
        ),
        (Bilingual("人工更正的标签", "Labels corrected by people"), str(corrections.get("changed", 0))),
        (Bilingual("申诉成立而剔除", "Rows voided by an upheld appeal"), str(corrections.get("voided", 0))),
    ]
    note = Bilingual(
        "每一行只含当日已发生且已获知的事实；表现期未满的样本不参与学习。",
        "Each row holds what had happened and was known at its date; a row whose window is not over is "
        "never learnt.",
    )
    return DocumentSection(
        "data",
        Bilingual("数据来源、期间与违约定义", "Data, period and definition of the event"),
        (note,),
        (facts_table(Bilingual("样本", "Rows"), rows),),
    )


def method(facts: ModelFacts) -> DocumentSection:
    """How it was learnt, and what else was tried."""
    report = facts.report
    rows: list[tuple[Cell, ...]] = [
        (Bilingual("方法", "Learner"), facts.artefact.model),
        (Bilingual("随机种子", "Seed"), str(facts.artefact.trained.seed)),
        *(
            (Bilingual(name, name), str(value))
            for name, value in sorted((report.get("settings") or {}).items())
        ),
    ]
    trials = report.get("trials") or ()
    tried = tuple(
        (str(trial.get("trial", number)), str(trial.get("settings", NOTHING)), figure(trial.get("auc")))
        for number, trial in enumerate(trials, 1)
    )
    tables = [facts_table(Bilingual("设定", "Settings"), rows)]
    if tried:
        heads = (Bilingual("序号", "No"), Bilingual("参数", "Settings"), Bilingual("AUC", "AUC"))
        tables.append(DocumentTable(Bilingual("参数搜索记录", "Record of the search"), heads, tried))
    notes = tuple(Bilingual(note, note) for note in report.get("notes", ()))
    return DocumentSection(
        "method",
        Bilingual("方法与备选方案", "Method and alternatives considered"),
        notes
        or (
            Bilingual("备选方案的比较见模型对比表。", "Alternatives are compared in the table of the bench."),
        ),
        tuple(tables),
    )


def tables(facts: ModelFacts) -> DocumentSection:
    """The bins of each feature, where the report has them: rows, events and weight of evidence."""
    tables = []
    for variable in facts.report.get("variables", ()):
        if not variable.get("used") or "woe" not in variable:
            continue
        rows = tuple(
            (label, f"{count:,}", NOTHING if rate is None else f"{rate:.2%}", f"{woe:+.3f}")
            for label, count, rate, woe in zip(
                bin_labels(variable), variable["rows"], variable["event_rate"], variable["woe"], strict=False
            )
        )
        heads = (
            Bilingual("区间", "Bin"),
            Bilingual("样本", "Rows"),
            Bilingual("违约率", "Event rate"),
            Bilingual("证据权重", "WOE"),
        )
        tables.append(DocumentTable(Bilingual(variable["name"], variable["name"]), heads, rows))
    return DocumentSection(
        "tables", Bilingual("分箱与评分表", "Bins and tables of the score"), (), tuple(tables)
    )
