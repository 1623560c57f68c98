"""Export, erasure and keys from the command line, against a house of their own."""

import json
import stat
from datetime import date

import pytest
from typer.testing import CliRunner

from scenarios.furnished import furnish
from shouxin import cases, credit, governance, identity, ingestion
from shouxin.database.supervisor import OWNER_ROLE
from shouxin.entrypoints.cli import audit, customer, doctor, keys
from shouxin.entrypoints.house import opened_house
from shouxin.governance import Role
from shouxin.kernel import Money

PERSON = {"name": "欧阳晨曦<script>", "phone": "13987650421", "email": "ouyang.cx@post.example"}
WHY = "asked for it by letter"


@pytest.fixture
def place(database, fresh_database, tmp_path, monkeypatch):
    """An installation with two operators, a customer who told who they are, and one who has a line."""
    monkeypatch.delenv("SHOUXIN_MASTER_KEY", raising=False)
    url = database.server.url(OWNER_ROLE, fresh_database.engine.url.database)
    monkeypatch.setenv("SHOUXIN_DATABASE_URL", str(url))
    with opened_house(tmp_path) as house, house.database.begin() as db:
        now = house.clock()
        for name, role in (
            ("ask.er", Role.RISK_ANALYST),
            ("agree.er", Role.RISK_MANAGER),
            ("look.er", Role.COLLECTOR),
        ):
            governance.invite_operator(
                db, name=name, display_name=name, roles=frozenset({role}), language="en", now=now
            )
        event = {
            "source_id": "e1", "kind": "customer_registered", "version": 1, "customer_ref": "A",
            "occurred_at": now.isoformat(), "payload": {"channel": "app"}, "personal": PERSON,
        }  # fmt: skip
        ingestion.accept(db, [event], keyring=house.keyring, now=now, source="shop")
        identity.unify(db, keyring=house.keyring, now=now)
    return tmp_path


@pytest.fixture
def said(place):
    """Run a command in this house and give its exit code and its JSON, or what went to standard error."""

    def run(app, *words):
        result = CliRunner().invoke(app, [*words, "--home", str(place), "--json"])
        told = json.loads(result.stdout) if result.stdout.startswith("{") else result.stderr
        return result.exit_code, told

    return run


def agreed(place, request):
    with opened_house(place) as house, house.database.begin() as db:
        checker = governance.find_operator(db, "agree.er")
        governance.approve(db, request, checker=checker.operator_id, reason="letter seen", now=house.clock())


def test_an_export_has_everything_in_clear_and_is_audited(said, place):
    code, told = said(customer.app, "export", "A", "--operator", "ask.er", "--reason", WHY)
    assert code == 0
    assert {row["field"]: row["value"] for row in told["personal"]} == PERSON
    assert told["personal"][0]["source"] == "shop"
    assert [row["kind"] for row in told["events"]] == ["customer_registered"]
    assert {row["state"] for row in told["consents"]} == {"never_asked"}
    assert set(told) >= {"grades", "decisions", "line", "instalments", "alerts", "cases", "viewings"}
    assert told["viewings"][0]["action"] == "customer.exported"
    code, entries = said(audit.app, "list", "--action", "customer.exported")
    assert entries["entries"][0]["detail"] == {"reason": WHY}


def test_an_export_is_written_as_json_and_as_a_page_that_runs_nothing(said, place):
    folder = place / "out"
    code, told = said(
        customer.app, "export", "A", "--operator", "ask.er", "--reason", WHY, "--out", str(folder)
    )
    assert (code, told["personal"]) == (0, 3)
    for name in ("customer.json", "customer.html"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    page = (folder / "customer.html").read_text(encoding="utf-8")
    assert PERSON["phone"] in page and "个人信息" in page and "Personal values" in page
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert json.loads((folder / "customer.json").read_text(encoding="utf-8"))["customer_id"] in page


@pytest.mark.parametrize(
    ("operator", "reason", "expected"),
    [("look.er", WHY, "not permitted"), ("nobody", WHY, "no operator"), ("ask.er", "short", "10 characters")],
)
def test_an_export_is_refused_with_one_line(said, operator, reason, expected):
    code, told = said(customer.app, "export", "A", "--operator", operator, "--reason", reason)
    assert code == 1
    assert expected in told and PERSON["phone"] not in told and told.count("\n") == 1


def test_a_customer_is_erased_when_a_second_person_agreed(said, place):
    asking = ("erase", "A", "--operator", "ask.er")
    code, told = said(customer.app, *asking, "--reason", WHY)
    assert (code, told["state"]) == (0, "waiting")
    with_key = (*asking, "--approval", told["request_id"])
    code, refused = said(customer.app, *with_key)
    assert code == 1 and "second person" in refused
    agreed(place, told["request_id"])
    code, refused = said(customer.app, "erase", "A", "--operator", "agree.er", *with_key[4:])
    assert code == 1 and "second person" in refused
    code, erased = said(customer.app, *with_key)
    assert (code, erased["state"], erased["values"]) == (0, "erased", 3)
    code, status = said(keys.app, "status")
    assert (status["erased"], status["unturned"], status["generation_newest"]) == (2, 0, 2)
    code, shown = said(customer.app, "show", "A")
    assert (shown["name"], shown["phone"], bool(shown["erased_at"])) == (None, None, True)
    code, told = said(customer.app, "export", "A", "--operator", "ask.er", "--reason", WHY)
    assert (told["personal"], bool(told["erased_at"])) == ([], True)
    code, again = said(customer.app, *with_key)
    assert code == 1 and "erased already" in again
    code, verdict = said(audit.app, "verify")
    assert (code, verdict["intact"]) == (0, True)


def test_who_owes_or_is_looked_at_is_not_erased_and_the_line_ends_with_the_person(said, place, now):
    with opened_house(place) as house, house.database.begin() as db:
        furnish(db, now=now, day=date(2026, 3, 2))
        found = identity.find_customer(db, source="shop", customer_ref="C000")
        line = credit.line_of(db, found)
        assert not line.frozen
        opened = cases.open_case(db, customer_id=found, origin="manual", title="look", opened_by="t", now=now)
        credit.limits.service.move_figures(db, line, outstanding=Money(100, "CNY"))
    asking = ("erase", "C000", "--operator", "ask.er")
    code, told = said(customer.app, *asking, "--reason", WHY)
    assert code == 1 and "owes money" in told
    with opened_house(place) as house, house.database.begin() as db:
        credit.limits.service.move_figures(db, credit.line_of(db, found), outstanding=Money(-100, "CNY"))
    code, told = said(customer.app, *asking, "--reason", WHY)
    assert code == 1 and "not closed" in told
    with opened_house(place) as house, house.database.begin() as db:
        cases.close(
            db, opened.row.case_no, outcome=cases.CaseOutcome.NO_ACTION, reason="nothing", by="t", now=now
        )
    code, told = said(customer.app, *asking, "--reason", WHY)
    assert code == 0
    agreed(place, told["request_id"])
    assert said(customer.app, *asking, "--approval", told["request_id"])[0] == 0
    with opened_house(place) as house, house.database.begin() as db:
        assert credit.line_of(db, found).frozen


def test_a_reason_that_tells_who_it_is_is_not_kept(said):
    code, told = said(
        customer.app, "erase", "A", "--operator", "ask.er", "--reason", "call 139 8765 0421 about it"
    )
    assert code == 1 and "personal value" in told
    code, entries = said(audit.app, "list")
    kept = json.dumps(entries).replace(" ", "")
    assert code == 0 and "87650421" not in kept


def test_keys_rotate_and_the_master_changes(said, place):
    old = (place / "keys/master.key").read_bytes()
    code, told = said(keys.app, "rotate")
    assert (code, told["generation_oldest"], told["wrapped_anew"]) == (0, 2, 2)
    code, told = said(keys.app, "change-master")
    assert (code, told["unreadable"]) == (0, 0)
    assert (place / "keys/master.key").read_bytes() != old
    code, told = said(customer.app, "show", "A")
    assert told["phone"] == "139****0421"


def test_the_doctor_looks_at_the_key_file(place):
    findings = {finding.name: finding for finding in doctor._look_inside(place)}
    assert findings["key file"].state == "right"
    (place / "keys/keyring.sealed").unlink()
    told = [finding for finding in doctor._look_inside(place) if finding.state == "wrong"]
    assert "bring back" in told[0].told
