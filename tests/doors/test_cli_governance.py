"""The commands of governance and identity, against a house of their own."""

import json

import pyotp
import pytest
from typer.testing import CliRunner

from shouxin.database.supervisor import OWNER_ROLE
from shouxin.entrypoints.cli import audit, customer, operator_admin
from shouxin.entrypoints.house import opened_house
from shouxin.governance import complete_setup, prepare_setup
from shouxin.identity import unify
from shouxin.ingestion import accept


@pytest.fixture
def place(database, fresh_database, tmp_path, monkeypatch):
    """The folder of an installation with a database of its own, as the commands find it."""
    monkeypatch.delenv("SHOUXIN_MASTER_KEY", raising=False)
    url = database.server.url(OWNER_ROLE, fresh_database.engine.url.database)
    monkeypatch.setenv("SHOUXIN_DATABASE_URL", str(url))
    return tmp_path


@pytest.fixture
def said(place):
    """Run a command in this house and give its exit code and its JSON."""

    def run(app, *words):
        result = CliRunner().invoke(app, [*words, "--home", str(place), "--json"])
        return result.exit_code, json.loads(result.stdout) if result.stdout.startswith("{") else result

    return run


def test_an_invited_operator_can_be_set_up_and_is_listed(said, place):
    code, invitation = said(operator_admin.app, "add", "cli.one", "--role", "auditor", "--role", "reviewer")
    assert code == 0
    token = invitation["setup_path"].removeprefix("/setup/")
    with opened_house(place) as house, house.database.begin() as db:
        at = house.clock()
        secret = prepare_setup(db, house.keyring, token, now=at)
        typed = pyotp.TOTP(secret.totp_secret).at(at)
        complete_setup(db, house.keyring, token, password="correct horse 1", code=typed, now=at)
    code, listed = said(operator_admin.app, "list")
    (person,) = [p for p in listed["operators"] if p["name"] == "cli.one"]
    assert (person["ready"], person["roles"]) == (True, ["auditor", "reviewer"])
    code, again = said(operator_admin.app, "renew", "cli.one")
    assert code == 0
    assert again["setup_path"] != invitation["setup_path"]
    code, entries = said(audit.app, "list", "--action", "operator.invited")
    assert any(e["detail"]["name"] == "cli.one" for e in entries["entries"])
    assert token not in json.dumps(entries)


def test_a_key_is_printed_once(said):
    code, key = said(operator_admin.api_key_app, "add", "cli.key", "--scope", "events.write")
    assert code == 0
    assert key["key"].startswith("sx_")
    code, _ = said(operator_admin.api_key_app, "add", "cli.key", "--scope", "events.write")
    assert code == 1


def test_the_audit_is_verified_with_the_head_that_was_kept(said):
    said(operator_admin.app, "add", "cli.two", "--role", "collector")
    code, verdict = said(audit.app, "verify")
    assert (code, verdict["intact"]) == (0, True)
    assert said(audit.app, "verify", "--head", verdict["head"])[0] == 0
    assert said(audit.app, "verify", "--head", "f" * 64)[0] == 1


def test_a_customer_is_shown_masked(said, place, now):
    event = {
        "source": "cli-shop",
        "source_id": "e1",
        "kind": "customer_registered",
        "version": 1,
        "customer_ref": "A",
        "occurred_at": now.isoformat(),
        "payload": {"channel": "app"},
        "personal": {"name": "陈文静", "phone": "13800000001"},
    }
    with opened_house(place) as house, house.database.begin() as db:
        accept(db, [event], keyring=house.keyring, now=now)
        unify(db, keyring=house.keyring, now=now)
    code, shown = said(customer.app, "show", "A", "--source", "cli-shop")
    assert code == 0
    assert (shown["name"], shown["phone"], shown["email"]) == ("陈*静", "138****0001", None)
    by_id = said(customer.app, "show", shown["customer_id"])[1]
    assert by_id | {"as_of": shown["as_of"]} == shown  # each is as of the moment it was asked
    assert said(customer.app, "show", "nobody")[0] == 1
