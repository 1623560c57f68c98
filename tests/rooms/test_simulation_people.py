"""Registrations of made-up people: the same bytes, nobody real, families share, the truth is whole."""

import json
import unicodedata
from collections import defaultdict

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from shouxin import ingestion
from shouxin.entrypoints.cli import app
from shouxin.governance import Keyring
from shouxin.simulation import UnableToSimulate, simulate_registrations
from shouxin.simulation.names import homophones, latin, places
from shouxin.simulation.persons import check_character

KEYS = Keyring.from_master(b"k" * 32)
PEOPLE, TOTAL = 2000, 3600


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("people")
    return out, simulate_registrations(out, people=PEOPLE, registrations=TOTAL, seed=3)


@pytest.fixture(scope="module")
def rows(made):
    found = pq.read_table(made[0] / "registrations.parquet").to_pylist()
    return [row | {"personal": json.loads(row["personal"])} for row in found]


@pytest.fixture(scope="module")
def truth(made):
    found = pq.read_table(made[0] / "truth" / "registrations.parquet").to_pylist()
    return {(row["source"], row["customer_ref"]): row["person"] for row in found}


def test_a_seed_gives_the_same_bytes_and_another_seed_others(made, tmp_path):
    for seed in (3, 4):
        simulate_registrations(tmp_path / str(seed), people=PEOPLE, registrations=TOTAL, seed=seed)
    for name in ("registrations.parquet", "truth/registrations.parquet"):
        again = (tmp_path / "3" / name).read_bytes()
        assert again == (made[0] / name).read_bytes()
        assert again != (tmp_path / "4" / name).read_bytes()


def test_the_truth_names_every_reference_and_every_person(rows, truth):
    assert {(row["source"], row["customer_ref"]) for row in rows} == truth.keys()
    assert len(truth) == TOTAL
    assert set(truth.values()) == set(range(PEOPLE))


def test_nobody_is_real(rows):
    for row in rows:
        said = {name: unicodedata.normalize("NFKC", text) for name, text in row["personal"].items()}
        if "phone" in said:
            digits = "".join(c for c in said["phone"].removeprefix("+86") if c.isdigit())
            assert digits.startswith("1010") and len(digits) == 11
        if "national_id" in said:
            number = said["national_id"].upper()
            assert number.startswith("990101") and check_character(number[:17]) == number[17]
        if "email" in said:
            assert said["email"].lower().endswith(".example")


def test_each_field_is_there_as_often_as_in_life(made):
    wanted = {
        "name": 1,
        "phone": 0.92,
        "email": 0.60,
        "national_id": 0.45,
        "birth_date": 0.5,
        "address": 0.75,
    }
    assert made[1].fields == pytest.approx(wanted, abs=0.05)


def test_a_person_has_one_national_id_and_no_two_people_share_one(rows, truth):
    people, ids = defaultdict(set), defaultdict(set)
    for row in rows:
        if "national_id" in row["personal"]:
            number = unicodedata.normalize("NFKC", row["personal"]["national_id"]).upper()
            person = truth[row["source"], row["customer_ref"]]
            people[number].add(person)
            ids[person].add(number)
    assert {len(found) for found in (*people.values(), *ids.values())} == {1}


def test_families_share_a_telephone_and_an_address_and_never_verify_the_shared_one(rows, truth):
    phones, addresses, proved = defaultdict(set), defaultdict(set), defaultdict(set)
    for row in rows:
        person, said = truth[row["source"], row["customer_ref"]], row["personal"]
        if row["kind"] == "customer_verified":
            proved[next(iter(said.values()))].add(person)
            continue
        phones[said.get("phone")].add(person)
        addresses[said.get("address")].add(person)
    assert sum(len(p) > 1 for value, p in phones.items() if value) > 10
    assert sum(len(p) > 1 for value, p in addresses.items() if value) > 50
    assert {len(found) for found in proved.values()} == {1}


def test_the_door_takes_them_all(db, now, made):
    receipt = ingestion.load_file(db, made[0] / "registrations.parquet", keyring=KEYS, now=now)
    assert (receipt.accepted, receipt.quarantined) == (made[1].events, 0)


def test_homophones_sound_the_same_and_places_are_in_force():
    assert all(latin(other) == latin(one) for one, same in homophones().items() for other in same)
    assert ("浙江省", "杭州市", "西湖区") in places()
    assert not any("崇文区" in place for place in places())


@pytest.mark.parametrize("change", [{"people": 0}, {"registrations": 5}, {"seed": -1}])
def test_an_impossible_crowd_is_refused(tmp_path, change):
    with pytest.raises(UnableToSimulate, match="must"):
        simulate_registrations(tmp_path, **({"people": 10, "registrations": 12, "seed": 1} | change))


def test_the_command_tells_what_it_wrote(tmp_path):
    ran = CliRunner().invoke(
        app, ["simulate-registrations", "--people", "50", "--out", str(tmp_path), "--json"]
    )
    assert ran.exit_code == 0
    assert json.loads(ran.stdout)["registrations"] == 90
