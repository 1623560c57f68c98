"""Governance: the master key, tokens and sealing."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from shouxin.database import Home
from shouxin.governance import Keyring, UnableToLoadKey, UnableToOpen, check_keyring, load_keyring, sealer

KEYRING = Keyring.from_master(bytes(range(32)))


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch):
    monkeypatch.delenv("SHOUXIN_MASTER_KEY", raising=False)


def test_the_master_key_is_made_once_and_is_readable_by_its_owner_alone(tmp_path):
    home = Home(tmp_path)
    first = load_keyring(home)
    path = home.keys / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {entry.name for entry in home.keys.iterdir()} == {"master.key", "keyring.sealed", "keyring.lock"}
    assert stat.S_IMODE((home.keys / "keyring.sealed").stat().st_mode) == 0o600
    assert load_keyring(home).token("phone", "13800000000") == first.token("phone", "13800000000")


def test_two_processes_that_start_at_once_agree_on_the_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        tokens = {k.token("name", "x") for k in pool.map(load_keyring, [Home(tmp_path)] * 16)}
    assert len(tokens) == 1


def test_a_key_from_the_environment_goes_first_and_is_written_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOUXIN_MASTER_KEY", base64.b64encode(bytes(range(32))).decode())
    assert load_keyring(Home(tmp_path)).token("email", "a@b.example") == KEYRING.token("email", "a@b.example")
    assert not (tmp_path / "keys/master.key").exists()
    assert bytes(range(32)) not in (tmp_path / "keys/keyring.sealed").read_bytes()


@pytest.mark.parametrize("damaged", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_a_damaged_key_is_refused_without_showing_it(tmp_path, monkeypatch, damaged):
    home = Home(tmp_path)
    load_keyring(home)
    (home.keys / "master.key").write_text(damaged)
    with pytest.raises(UnableToLoadKey) as refusal:
        load_keyring(home)
    assert "32 bytes in base64" in str(refusal.value)
    assert not damaged or damaged not in str(refusal.value)


def test_a_key_that_others_can_read_is_refused_with_the_mending(tmp_path):
    home = Home(tmp_path)
    load_keyring(home)
    (home.keys / "master.key").chmod(0o644)
    with pytest.raises(UnableToLoadKey, match="chmod 600"):
        load_keyring(home)


def test_nothing_secret_is_printed():
    assert repr(KEYRING) == "Keyring()"


def test_tokens_differ_by_field_by_key_and_by_value():
    other = Keyring.from_master(bytes(32))
    tokens = {
        KEYRING.token("phone", "13800000000"),
        KEYRING.token("card", "13800000000"),
        KEYRING.token("phone", "13800000001"),
        other.token("phone", "13800000000"),
    }
    assert len(tokens) == 4
    assert all(token.startswith("tok_") and "138" not in token[:7] for token in tokens)


def test_a_sealed_value_opens_in_another_transaction_of_the_same_house(db):
    first = sealer(db, KEYRING)
    first.prepare(["shop:C1", "shop:C2"])
    sealed = first.seal("shop:C1", "name", "陈文静")
    assert "陈文静".encode() not in sealed
    assert sealer(db, KEYRING).open("shop:C1", "name", sealed) == "陈文静"
    stored = (
        db.execute(text("SELECT wrapped FROM governance.data_key WHERE subject LIKE 'shop:%'"))
        .scalars()
        .all()
    )
    assert len(stored) == len({bytes(w) for w in stored}) == 2


def test_preparing_again_keeps_the_key_of_a_subject(db):
    sealed = sealer(db, KEYRING).seal("shop:C1", "name", "x")
    again = sealer(db, KEYRING)
    again.prepare(["shop:C1", "shop:C9"])
    assert again.open("shop:C1", "name", sealed) == "x"
    assert again.load(["shop:C1", "shop:none"]) == ["shop:none"]


@pytest.mark.parametrize(
    ("subject", "field"), [("shop:C2", "name"), ("shop:C1", "phone"), ("shop:unknown", "name")]
)
def test_a_sealed_value_can_not_be_moved_to_another_subject_or_field(db, subject, field):
    keeper = sealer(db, KEYRING)
    keeper.prepare(["shop:C1", "shop:C2"])
    sealed = keeper.seal("shop:C1", "name", "陈文静")
    with pytest.raises(UnableToOpen):
        keeper.open(subject, field, sealed)


@pytest.mark.parametrize("place", [0, 5, 20, -1])
def test_a_changed_byte_is_found(db, place):
    keeper = sealer(db, KEYRING)
    sealed = bytearray(keeper.seal("shop:C1", "name", "陈文静"))
    sealed[place] ^= 1
    with pytest.raises(UnableToOpen):
        keeper.open("shop:C1", "name", bytes(sealed))


def test_another_master_key_opens_nothing(db):
    sealed = sealer(db, KEYRING).seal("shop:C1", "name", "x")
    with pytest.raises(UnableToOpen):
        sealer(db, Keyring.from_master(bytes(32))).open("shop:C1", "name", sealed)


def test_another_master_key_is_told_apart_before_anything_is_sealed_with_it(fresh_database):
    right, wrong = Keyring.from_master(b"k" * 32), Keyring.from_master(b"w" * 32)
    with fresh_database.begin() as db:
        check_keyring(db, right)
        check_keyring(db, right)
        with pytest.raises(UnableToLoadKey, match="bring back"):
            check_keyring(db, wrong)
