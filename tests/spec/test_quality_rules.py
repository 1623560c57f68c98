"""The rules of data quality: each can happen, and nothing is refused that no rule names."""

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from shouxin.ingestion import clickstream, online_retail
from shouxin.ingestion.domain import Fact, Refusal, check_envelope, check_row, registering
from shouxin.ingestion.domain.normalising import Problem
from shouxin.ingestion.domain.normalising.problems import problem_text
from shouxin.ingestion.domain.quality import (
    DIMENSION_WORDS,
    OWNER_WORDS,
    RULES,
    SEVERITY_WORDS,
    Severity,
    doubts_about,
    knows_reason,
    rule_of,
)
from shouxin.ingestion.domain.surveys import answer_of
from shouxin.kernel import Bilingual

ROOT = Path(__file__).resolve().parents[2]
ROOM = ROOT / "src/shouxin/ingestion"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ROW = {
    "source": "shop",
    "source_id": "e-1",
    "kind": "refund_issued",
    "version": "1",
    "customer_ref": "C1",
    "occurred_at": "2026-03-01T10:00:00Z",
    "received_at": "2026-03-01T10:01:00Z",
    "order_ref": "O1",
    "amount_minor": "100",
    "currency": "CNY",
    "payload": '{"refund_kind": "return"}',
    "personal": None,
}
LINE = dict(
    zip(
        online_retail.COLUMNS,
        ("536365", "85123A", "LAMP", "6", "2010-12-01 08:26", "2.55", "17850", "UK"),
        strict=True,
    )
)
SURVEY = {"customer_ref": "C1", "survey": "nps", "answered_at": "2026-03-01"}
PERSON = {"customer_ref": "P1", "name": "王大明", "phone": "13800000000"}


def row(**changes):
    return check_row(ROW | changes, now=NOW)


def line(**changes):
    given = {name: pa.array([value], pa.string()) for name, value in (LINE | changes).items()}
    table = pa.table(given | {"place": pa.array(["f:2"]), "position": pa.array([0], pa.int32())})
    (refused,) = online_retail.interpret(table).refused
    return Refusal(refused.field, refused.reason)


def person(**changes):
    refusals, _ = registering.check(PERSON | changes, now=NOW)
    return Refusal(refusals[0].field, refusals[0].text.en)


def warning(**changes):
    refusals, warnings = registering.check(PERSON | changes, now=NOW)
    assert not refusals
    return Refusal(warnings[0].field, warnings[0].text.en)


# What is done                                                                -> the rule that speaks
REFUSED = {
    "missing": lambda: row(customer_ref=""),
    "not_json": lambda: check_envelope(b"{", now=NOW),
    "unknown_field": lambda: row(payload='{"refund_kind": "return", "x": 1}'),
    "not_allowed": lambda: row(payload='{"refund_kind": "gift"}'),
    "wrong_type": lambda: row(payload='{"refund_kind": 1}'),
    "out_of_range": lambda: row(kind="review_posted", amount_minor=None, payload='{"rating": 9}'),
    "unreadable_value": lambda: check_envelope(
        b'{"source": "s", "source_id": "1", "kind": "x", "customer_ref": "C", "occurred_at": "soon",'
        b' "payload": {}}',
        now=NOW,
    ),
    "source_name": lambda: row(source="The Shop"),
    "unknown_kind": lambda: row(kind="order_dreamt"),
    "unknown_version": lambda: row(version="2"),
    "too_long": lambda: row(customer_ref="x" * 201),
    "unprintable": lambda: row(customer_ref="a\tb"),
    "not_text": lambda: row(customer_ref=1.5),
    "not_whole_number": lambda: row(amount_minor="1.5"),
    "not_instant": lambda: row(occurred_at="yesterday"),
    "time_in_future": lambda: row(occurred_at="2027-01-01T00:00:00Z", received_at=None),
    "time_before_1970": lambda: row(occurred_at="1969-01-01T00:00:00Z"),
    "learnt_too_early": lambda: row(received_at="2026-02-01T00:00:00Z"),
    "not_of_kind": lambda: row(personal='{"phone": "1"}'),
    "not_currency": lambda: row(currency="yuan"),
    "amount_negative": lambda: row(amount_minor="-1"),
    "not_amount": lambda: row(amount_minor=None, amount="1,299"),
    "amount_too_large": lambda: row(amount_minor="9" * 19),
    "not_personal": lambda: row(personal="["),
    "answers_nothing": lambda: answer_of(SURVEY, source="shop", now=NOW),
    "not_invoice": lambda: line(InvoiceNo="A563185"),
    "quantity_zero": lambda: line(Quantity="0"),
    "quantity_sign": lambda: line(Quantity="-6"),
    "not_number": lambda: line(UnitPrice="free"),
    "price_not_positive": lambda: line(UnitPrice="0"),
    "price_fraction": lambda: line(UnitPrice="0.001"),
    "no_way_to_know": lambda: person(phone=""),
    "not_a_phone": lambda: person(phone="12"),
    "not_an_email": lambda: person(email="at home"),
    "wrong_length": lambda: person(national_id="110"),
    "wrong_check_digit": lambda: person(national_id="110105194912310021"),
    "no_such_date": lambda: person(birth_date="1990-02-31"),
    "ambiguous_date": lambda: person(birth_date="03/04/1990"),
    "not_a_name": lambda: person(name="123"),
    "not_born": lambda: person(birth_date="2031-01-01"),
    "two_birthdays": lambda: person(national_id="11010519491231002X", birth_date="1950-01-01"),
    "phone_not_assigned": lambda: warning(phone="10100000002"),
    "region_unknown": lambda: warning(national_id="990101199001010019"),
    "empty": lambda: warning(email=" "),
    "no_division": lambda: warning(address="幸福花园3栋"),
    "ambiguous_division": lambda: warning(address="鼓楼区中山路1号"),
    "contradicting_divisions": lambda: warning(address="浙江省杭州市浦东新区世纪大道1号"),
    "former_division": lambda: warning(address="上海市闸北区天目西路1号"),
}
# What only the database, a file or a policy can find is shown in tests/rooms: where, and how it is told.
ELSEWHERE = {
    "row_shape": ("test_ingestion_files.py", "has 3 fields instead of 12"),
    "not_unicode": ("test_ingestion_files.py", "is not UTF-8"),
    "no_such_order": ("test_ingestion_adapters.py", "no such order in this folder"),
    "id_in_use": ("test_quality.py", '"id_in_use": 1'),
    "other_values": ("test_quality.py", '"other_values": 1'),
    "shared_identifier": ("test_quality.py", '"shared_identifier": 1'),
    "can_not_open": ("test_quarantine_desk.py", "can not be opened: there is no key for it"),
    "no_consent": ("test_consent.py", "no consent to behaviour"),
    "repeated": ("test_quality.py", '"repeated": 1'),
}
DOUBTED = {
    "late": {"received_at": NOW, "occurred_at": NOW - timedelta(days=7, seconds=1)},
    "at_midnight": {"occurred_at": NOW.replace(hour=0, minute=0)},
    "amount_zero": {"amount_minor": "0"},
    "full_width": {"customer_ref": "Ｃ１"},
    "contact_masked": {
        "kind": "complaint_filed",
        "amount_minor": None,
        "payload": '{"topic": "call me: 13900000000"}',
    },
}


@pytest.mark.parametrize("code", REFUSED)
def test_the_rule_speaks(code):
    found = REFUSED[code]()
    assert isinstance(found, Refusal), found
    assert rule_of(found.reason).code == code
    assert knows_reason(found.reason) or code == "unreadable_value"


@pytest.mark.parametrize("code", DOUBTED)
def test_the_doubt_is_found_and_nothing_else_is(code):
    fact = check_row(ROW | {"received_at": None} | DOUBTED[code], now=NOW)
    assert isinstance(fact, Fact)
    assert [rule.code for rule in doubts_about(fact)] == [code]
    plain = check_row(ROW, now=NOW)
    assert isinstance(plain, Fact) and doubts_about(plain) == []


def test_the_catalogue_has_no_rule_that_can_not_happen():
    assert set(RULES) == {*REFUSED, *DOUBTED, *ELSEWHERE}
    assert [code for code in {*REFUSED, *DOUBTED} if code in ELSEWHERE] == []
    for file, told in ELSEWHERE.values():
        assert told in (ROOT / "tests/rooms" / file).read_text()


def reasons_in(tree):
    """Every text that stands where a refusal says its reason, figures in it as 1."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = {"_Refused": 1, "Refusal": 1, "RefusedRow": 3, "_refuse": 2}.get(name)
        if place is not None and len(node.args) > place:
            yield from texts_of(node.args[place])


def texts_of(node):
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "1" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts_of(node.body)
        yield from texts_of(node.orelse)


def test_nothing_is_refused_for_a_reason_that_no_rule_names():
    found = {
        (str(path.relative_to(ROOM)), reason)
        for path in ROOM.rglob("*.py")
        for reason in reasons_in(ast.parse(path.read_text()))
    }
    assert len(found) > 30, "the reasons are found where they stand"
    assert {one for one in found if not knows_reason(one[1])} == set()


def test_every_reason_of_the_adapter_and_of_registering_has_a_rule():
    told_by_sql = online_retail._refusal_sql() + clickstream._refusal_sql()
    adapter = re.findall(r"'reason': '([^']+)'", told_by_sql)
    told = [text.en for text in vars(registering).values() if isinstance(text, Bilingual)]
    blocking = [problem_text(problem).en for problem in Problem if problem is not Problem.NOT_MONEY]
    assert len(adapter) == 24 and len(told) >= 6
    assert [text for text in (*adapter, *told, *blocking) if not knows_reason(text)] == []


def test_no_reason_has_two_rules():
    reasons = [reason for rule in RULES.values() for reason in rule.reasons]
    assert len(reasons) == len(set(reasons))
    for reason in reasons:
        speaking = [rule.code for rule in RULES.values() if rule.pattern and rule.pattern.fullmatch(reason)]
        assert speaking in ([], [rule_of(reason).code]), reason


def test_the_page_of_the_manual_lists_every_rule_as_it_is():
    _, _, page = (ROOT / "docs/quality.md").read_text().partition("## The rules")
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    drawn = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert drawn == [
        [f"`{rule.code}`", rule.dimension, rule.severity, rule.owner, rule.meaning.en, rule.mend.en]
        for rule in RULES.values()
    ]


def test_every_word_is_there_in_both_languages():
    for enum_words in (DIMENSION_WORDS, OWNER_WORDS, SEVERITY_WORDS):
        assert len(enum_words) == len(type(next(iter(enum_words))))
    assert {rule.severity for rule in RULES.values()} == set(Severity)
