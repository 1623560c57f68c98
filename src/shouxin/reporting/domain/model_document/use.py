"""Sections about how a model does: performance, explanation, grades, versions, monitoring, sign-off."""

from __future__ import annotations

from shouxin.kernel import Bilingual
from shouxin.reporting.domain.model_document.cells import (
    facts_table,
    figure,
    flat,
    interval,
    unknown,
)
from shouxin.reporting.domain.model_document.facts import ModelFacts
from shouxin.reporting.domain.model_document.values import NOTHING, Cell, DocumentSection, DocumentTable
from shouxin.scoring.domain.drift import VERDICT_WORDS, Verdict
from shouxin.scoring.domain.gates import GATE_WORDS, PASSED_WORDS
from shouxin.scoring.domain.registry import STAGE_WORDS, ModelStage


def performance(facts: ModelFacts) -> DocumentSection:
    """How well it did on rows that trained nothing."""
    found = facts.report.get("held_out") or facts.report.get("holdout")
    heading = Bilingual("表现：区分与校准", "Performance: discrimination and calibration")
    if not found:
        return DocumentSection("performance", heading, (unknown(),))
    rows = [
        (Bilingual(name, label), interval(found[key], digits=4))
        for key, name, label in (
            ("auc", "AUC", "AUC"),
            ("ks", "KS", "KS"),
            ("gini", "基尼系数", "Gini"),
            ("brier", "Brier分数", "Brier score"),
            ("slope", "校准斜率", "Calibration slope"),
        )
    ]
    rows.append(
        (
            Bilingual("与现任模型的AUC之差", "AUC less the champion's"),
            interval(facts.report.get("difference"), digits=4),
        )
    )
    note = Bilingual(
        f"基于{found['n']:,}行未参与训练的样本，违约率{found['event_rate']:.2%}；括号内为95%区间。",
        f"On {found['n']:,} rows that trained nothing, event rate {found['event_rate']:.2%}; 95 % "
        "intervals in brackets.",
    )
    return DocumentSection(
        "performance", heading, (note,), (facts_table(Bilingual("留出样本", "Held-out rows"), rows),)
    )


def assessment(facts: ModelFacts, code: str, heading: Bilingual) -> DocumentSection:
    """What an assessment said, flat, as it was kept with the model."""
    found = (facts.report.get("assessment") or {}).get(code)
    if not found:
        return DocumentSection(code, heading, (unknown(),))
    rows = tuple((Bilingual(name, name), value) for name, value in flat(found))
    return DocumentSection(code, heading, (), (facts_table(heading, rows),))


def explaining(_facts: ModelFacts) -> DocumentSection:
    """How its scores are explained."""
    return DocumentSection(
        "explaining",
        Bilingual("可解释性与不利决定的理由", "Explanation and adverse-action reasons"),
        (
            Bilingual(
                "每个变量的贡献以百万分之一对数几率计，加总精确等于总分；每次不利决定给出一至四条实际使用的理由。",
                "Each feature's contribution is counted in millionths of a log-odd and adds up to the "
                "score exactly; "
                "an adverse decision carries one to four reasons that were really used.",
            ),
        ),
    )


def grades(facts: ModelFacts) -> DocumentSection:
    """Where its grades begin."""
    bands = facts.scale.as_data()
    rows = tuple((Bilingual(str(name), str(name)), str(value)) for name, value in flat(bands))
    heading = Bilingual("等级与切点", "Grades and cut-offs")
    return DocumentSection("grades", heading, (), (facts_table(heading, rows),))


def implementation(facts: ModelFacts) -> DocumentSection:
    """What runs, under which hash."""
    rows: list[tuple[Cell, ...]] = [
        (Bilingual("模型哈希", "Model hash"), facts.row.model_hash),
        (Bilingual("登记时间", "Registered"), facts.row.registered_at.isoformat(timespec="minutes")),
        *((Bilingual(name, name), version) for name, version in sorted(facts.artefact.trained.tools.items())),
    ]
    return DocumentSection(
        "implementation",
        Bilingual("实施：版本、哈希与复现", "Implementation: versions, hashes, reproduction"),
        (
            Bilingual(
                "模型是一份以内容哈希命名的JSON；同样的数据、种子与版本得到同样的哈希。",
                "The model is one JSON document named by its hash; the same rows, seed and versions give "
                "the same hash.",
            ),
        ),
        (facts_table(Bilingual("版本", "Versions"), rows),),
    )


def monitoring(facts: ModelFacts) -> DocumentSection:
    """How it is watched, and what was seen."""
    plan = Bilingual(
        "每晚对照开发时固定的分箱计算PSI/CSI（关注0.10，处理0.25，并须超过该样本量下的偶然水平），"
        "比较早期逾期与到期样本，预估无标签表现；需处理时自动训练候选模型，晋升须两人。",
        "Every night: PSI and CSI on the bins fixed at development (watch at 0.10, act at 0.25, and only "
        "beyond what chance "
        "shows at that number of rows), early and matured vintages, performance foretold without labels. "
        "Where it calls "
        "for action a candidate is trained; promotion takes two people.",
    )
    rows = tuple(
        (
            str(look["as_of"])[:10],
            VERDICT_WORDS[Verdict(look["verdict"])],
            f"{look['rows']:,}",
            f"{look['shifts'][0]['psi']:.4f}",
            figure(look["foretold"]["auc"]),
            interval((look.get("early") or {}).get("observed_over_expected"), digits=2),
            interval((look.get("matured") or {}).get("observed_over_expected"), digits=2),
        )
        for look in facts.looks
    )
    table = DocumentTable(
        Bilingual("监控记录", "Looks of the monitor"),
        (
            Bilingual("日期", "Day"),
            Bilingual("结论", "Verdict"),
            Bilingual("样本", "Rows"),
            Bilingual("评分PSI", "Score PSI"),
            Bilingual("预估AUC", "Foretold AUC"),
            Bilingual("早期实际/预期", "Early, observed / expected"),
            Bilingual("到期实际/预期", "Matured, observed / expected"),
        ),
        rows,
    )
    shadow = Bilingual(
        f"作为挑战者已对{facts.shadowed:,}笔决策打分。",
        f"As a challenger it has spoken of {facts.shadowed:,} decisions.",
    )
    return DocumentSection(
        "monitoring", Bilingual("监控计划与结果", "Monitoring: plan and results"), (plan, shadow), (table,)
    )


def weaknesses(facts: ModelFacts) -> DocumentSection:
    """What the gates could not test or found wrong, what the monitor could not tell yet."""
    lines = [
        Bilingual(
            f"{GATE_WORDS[gate.code].zh}：{PASSED_WORDS[gate.passed].zh}（{gate.figure}）。",
            f"{GATE_WORDS[gate.code].en}: {PASSED_WORDS[gate.passed].en} ({gate.figure}).",
        )
        for gate in facts.gates
        if gate.passed != "passed"
    ]
    if facts.looks:
        lines += [
            Bilingual(f"监控尚不能判断：{why}", f"Not told by the monitor yet: {why}")
            for why in facts.looks[0]["why_not"].values()
        ]
    lines += [
        Bilingual(
            f"疑似泄漏而保留：{leak['name']}（{leak['kept_because']}）",
            f"Kept although it looks like a leak: {leak['name']} ({leak['kept_because']})",
        )
        for leak in facts.report.get("leaks", ())
    ]
    return DocumentSection(
        "weaknesses",
        Bilingual("假设、弱点与限制", "Assumptions, weaknesses and limitations"),
        tuple(lines) or (Bilingual("没有未解决的事项。", "Nothing is open."),),
    )


def sign_off(facts: ModelFacts) -> DocumentSection:
    """What was tested, and who agreed."""
    gates = tuple((GATE_WORDS[gate.code], PASSED_WORDS[gate.passed], gate.figure) for gate in facts.gates)
    stages = tuple(
        (
            step.at.isoformat(sep=" ", timespec="minutes")[:16],
            STAGE_WORDS[ModelStage(step.stage)],
            _named(facts, step.maker),
            _named(facts, step.checker),
            step.reason or NOTHING,
        )
        for step in facts.stages
    )
    return DocumentSection(
        "sign_off",
        Bilingual("验证结论与签署记录", "Validation findings and sign-off log"),
        (),
        (
            DocumentTable(
                Bilingual("准入检验", "Gates"),
                (Bilingual("检验", "Gate"), Bilingual("结果", "Result"), Bilingual("数值", "Figure")),
                gates,
            ),
            DocumentTable(
                Bilingual("生命周期", "Life of the model"),
                (
                    Bilingual("时间", "Time"),
                    Bilingual("阶段", "Stage"),
                    Bilingual("提出人", "Maker"),
                    Bilingual("复核人", "Checker"),
                    Bilingual("理由", "Reason"),
                ),
                stages,
            ),
        ),
    )


def _named(facts: ModelFacts, operator_id: str | None) -> str:
    return facts.people.get(operator_id, operator_id) if operator_id else NOTHING
