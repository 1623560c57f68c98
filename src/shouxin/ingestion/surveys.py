"""Adapter: answered surveys, a CSV file in UTF-8 with a header in Chinese or English."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from shouxin.ingestion.adapting import Interpreted
from shouxin.ingestion.domain import Refusal
from shouxin.ingestion.domain.surveys import ADAPTER, canonical_answer
from shouxin.ingestion.headers import columns_of
from shouxin.ingestion.reading import REQUIRED_COLUMNS, RawChunk, RefusedRow, csv_chunks

_ROWS = 10_000
_SPELLINGS = {
    "customer_ref": (
        "customerref", "customerid", "memberid", "客户编号", "客户号", "会员号", "会员编号", "用户编号",
    ),
    "survey": ("survey", "surveyname", "questionnaire", "问卷", "问卷名称", "调查", "调查名称"),
    "answered_at": ("answeredat", "answertime", "date", "作答时间", "答题时间", "提交时间", "日期"),
    "answer_id": ("answerid", "responseid", "答卷编号", "答卷号", "序号"),
    "method": ("method", "channel", "方式", "调查方式", "渠道"),
    "satisfaction": ("satisfaction", "满意度", "满意度评分"),
    "loyalty": ("loyalty", "忠诚度", "忠诚度评分"),
    "likely_to_recommend": ("likelytorecommend", "nps", "recommendation", "推荐意愿", "推荐度"),
    "text": ("text", "comment", "remark", "意见", "建议", "意见建议", "备注"),
}  # fmt: skip
_SCHEMA = pa.schema(
    [*((name, pa.string()) for name in (*REQUIRED_COLUMNS, "place")), ("position", pa.int32())]
)


def survey_chunks(path: Path, *, source: str) -> Iterator[Interpreted]:
    """The answers of a file as canonical events of ``source``. Raises UnableToRead."""
    names = columns_of(path, spellings=_SPELLINGS, needed=("customer_ref", "survey", "answered_at"))
    for chunk in csv_chunks([path], required=list(names), source=source, rows=_ROWS):
        yield _interpreted(chunk, names, source=source)


def _interpreted(chunk: RawChunk, names: dict[str, str], *, source: str) -> Interpreted:
    taken: list[dict[str, Any]] = []
    refused = [replace(row, source=source) for row in chunk.malformed]
    for record in chunk.table.to_pylist():
        place, position = record["place"], record["position"]
        row = {names[column]: record[column] for column in names}
        answer = canonical_answer(row, source=source)
        if isinstance(answer, Refusal):
            reference = str(row["customer_ref"] or "").strip() or None
            raw = json.dumps(row)
            refused.append(RefusedRow(place, position, answer.field, answer.reason, source, raw, reference))
        else:
            taken.append(answer | {"place": place, "position": position})
    rows = pa.Table.from_pylist(taken, schema=_SCHEMA)
    return Interpreted(rows, tuple(refused), 0, ADAPTER, chunk.first_position, chunk.done, chunk.total)
