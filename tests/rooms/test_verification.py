"""Verification: codes that live ten minutes and bear five tries, real names, and the human check."""

import hashlib
import json
import smtplib
import socketserver
import threading
from datetime import timedelta

import pytest

from shouxin import identity
from shouxin.database import Home
from shouxin.entrypoints.senders import (
    ConsoleSender,
    FileSender,
    RegisterFile,
    SmtpSender,
    UnableToChooseSender,
    chosen_sender,
)
from shouxin.governance import Keyring
from shouxin.ingestion import accept
from shouxin.ingestion.verification import (
    ATTEMPTS_MAX,
    CodeRefusal,
    CodeRefusalReason,
    RealNameAnswer,
    UnableToCheck,
    UnableToSend,
    Verified,
    check_code,
    check_human,
    check_real_name,
    new_challenge,
    send_code,
)
from shouxin.ingestion.verification.domain import SENDINGS_A_DAY, SENDINGS_AN_HOUR

KEYRING = Keyring.from_master(bytes(range(32)))
R = CodeRefusalReason
PERSON = {
    "name": "陈文静",
    "phone": "10100000001",
    "email": "chen@mail.example",
    "national_id": "99010119900101001X",
}


class Outbox:
    """A sender that keeps what it was given."""

    def __init__(self):
        self.messages = []

    def send(self, *, field, address, text, code):
        self.messages.append((field, address, text, code))


class BrokenGateway:
    def send(self, *, field, address, text, code):
        raise UnableToSend("the gateway is away")


@pytest.fixture
def outbox():
    return Outbox()


def register(db, now, ref="C1", kind="customer_registered", number=1, **personal):
    payload = {"channel": "app"} if kind == "customer_registered" else {}
    item = {"source": "shop", "source_id": f"{ref}/{number}", "kind": kind, "version": 1, "customer_ref": ref}
    item |= {"occurred_at": (now - timedelta(hours=1) + timedelta(seconds=number)).isoformat()}
    receipt = accept(db, [item | {"payload": payload, "personal": personal}], keyring=KEYRING, now=now)
    assert receipt.accepted == 1, receipt


def ask(db, outbox, now, *, ref="C1", field="phone", number=42):
    return send_code(
        db, KEYRING, source="shop", customer_ref=ref, field=field, sender=outbox, number=number, now=now
    )


def answer(db, sent, code, now):
    return check_code(db, KEYRING, verification_id=sent.verification_id, source="shop", code=code, now=now)


def test_a_code_goes_to_the_registered_phone_and_makes_it_verified(db, now, outbox):
    register(db, now, **PERSON)
    sent = ask(db, outbox, now)
    assert outbox.messages[0][:2] == ("phone", PERSON["phone"]) and outbox.messages[0][3] == "000042"
    assert "000042" in outbox.messages[0][2].zh and "000042" in outbox.messages[0][2].en
    assert PERSON["phone"] not in sent.sent_to
    assert answer(db, sent, "000042", now) == Verified("C1", "phone")
    identity.unify(db, keyring=KEYRING, now=now)
    customer = identity.find_customer(db, source="shop", customer_ref="C1")
    assert identity.masked_profile(db, KEYRING, customer).verified == {"phone"}


def test_nothing_that_was_sent_is_kept_clear(db, now, outbox):
    register(db, now, **PERSON)
    ask(db, outbox, now, number=271828)
    import sqlalchemy

    kept = str(db.execute(sqlalchemy.text("SELECT * FROM ingestion.verification_code")).all())
    assert "271828" not in kept and PERSON["phone"] not in kept


# what happened before the try                            -> what the try of the right code gives
def test_a_code_ends_after_ten_minutes(db, now, outbox):
    register(db, now, **PERSON)
    sent = ask(db, outbox, now)
    late = answer(db, sent, "000042", now + timedelta(minutes=10))
    assert late == CodeRefusal(R.EXPIRED)
    assert answer(db, sent, "000042", now + timedelta(minutes=9, seconds=59)) == Verified("C1", "phone")


def test_a_code_bears_so_many_tries(db, now, outbox):
    register(db, now, **PERSON)
    sent = ask(db, outbox, now)
    reasons = [answer(db, sent, "999999", now).reason for _ in range(ATTEMPTS_MAX)]
    assert reasons == [R.WRONG] * (ATTEMPTS_MAX - 1) + [R.ATTEMPTS_SPENT]
    assert answer(db, sent, "000042", now) == CodeRefusal(R.CLOSED)


def test_a_code_is_taken_once_and_by_its_own_shop(db, now, outbox):
    register(db, now, **PERSON)
    sent = ask(db, outbox, now)
    elsewhere = check_code(
        db, KEYRING, verification_id=sent.verification_id, source="other", code="000042", now=now
    )
    assert elsewhere == CodeRefusal(R.UNKNOWN)
    assert answer(db, sent, "000042", now) == Verified("C1", "phone")
    assert answer(db, sent, "000042", now) == CodeRefusal(R.CLOSED)


def test_a_new_code_ends_the_earlier_one(db, now, outbox):
    register(db, now, **PERSON)
    first = ask(db, outbox, now, number=1)
    second = ask(db, outbox, now + timedelta(minutes=2), number=2)
    later = now + timedelta(minutes=3)
    assert answer(db, first, "000001", later) == CodeRefusal(R.CLOSED)
    assert answer(db, second, "000002", later) == Verified("C1", "phone")


def test_a_code_proves_only_the_address_it_went_to(db, now, outbox):
    register(db, now, **PERSON)
    sent = ask(db, outbox, now)
    register(db, now, kind="customer_updated", number=2, phone="10100000002")
    assert answer(db, sent, "000042", now) == CodeRefusal(R.CLOSED)
    identity.unify(db, keyring=KEYRING, now=now)
    customer = identity.find_customer(db, source="shop", customer_ref="C1")
    assert not identity.masked_profile(db, KEYRING, customer).verified


def test_codes_are_not_sent_in_a_flood(db, now, outbox):
    register(db, now, **PERSON)
    register(db, now, ref="C2", phone=PERSON["phone"])
    ask(db, outbox, now)
    soon = ask(db, outbox, now + timedelta(seconds=20), ref="C2")
    assert soon == CodeRefusal(R.TOO_SOON, timedelta(seconds=40))  # the address counts, not who asks
    for minute in range(1, SENDINGS_AN_HOUR):
        assert not isinstance(ask(db, outbox, now + timedelta(minutes=2 * minute)), CodeRefusal)
    many = ask(db, outbox, now + timedelta(minutes=20))
    assert many == CodeRefusal(R.TOO_MANY, timedelta(minutes=40))
    hours = (now + timedelta(hours=h) for h in range(2, 30))
    sent = sum(
        not isinstance(ask(db, outbox, at), CodeRefusal) for at in hours if at < now + timedelta(hours=24)
    )
    assert sent == SENDINGS_A_DAY - SENDINGS_AN_HOUR


def test_without_an_address_no_code_is_sent(db, now, outbox):
    register(db, now, name="无名")
    assert ask(db, outbox, now) == CodeRefusal(R.NOTHING_KNOWN)
    assert ask(db, outbox, now, ref="nobody") == CodeRefusal(R.NOTHING_KNOWN)
    assert outbox.messages == []


def test_a_gateway_that_fails_counts_nothing(fresh_database, now):
    with fresh_database.begin() as db:
        register(db, now, **PERSON)
    with pytest.raises(UnableToSend), fresh_database.begin() as db:
        ask(db, BrokenGateway(), now)
    with fresh_database.begin() as db:
        assert not isinstance(ask(db, Outbox(), now), CodeRefusal)


@pytest.mark.parametrize("reason", R)
def test_every_refusal_is_told_in_two_languages(reason):
    text = CodeRefusal(reason).text
    assert text.zh and text.en and text.zh != text.en


@pytest.fixture
def civil_register(tmp_path):
    file = tmp_path / "register.csv"
    file.write_text("name,national_id\n陈文静,99010119900101001x\n", encoding="utf-8")
    return RegisterFile(file)


@pytest.mark.parametrize(
    ("name", "national_id", "said"),
    [
        ("陈文静", "99010119900101001X", RealNameAnswer.AGREES),
        ("王大明", "99010119900101001X", RealNameAnswer.DIFFERS),
        ("陈文静", "990101199001010028", RealNameAnswer.UNKNOWN),
    ],
)
def test_a_real_name_is_put_to_the_register(db, now, civil_register, name, national_id, said):
    register(db, now, name=name, national_id=national_id)
    verdict = check_real_name(db, KEYRING, source="shop", customer_ref="C1", register=civil_register, now=now)
    assert (verdict.answer, verdict.provider) == (said, "file")
    identity.unify(db, keyring=KEYRING, now=now)
    customer = identity.find_customer(db, source="shop", customer_ref="C1")
    proven = identity.masked_profile(db, KEYRING, customer).verified
    assert proven == ({"national_id"} if said is RealNameAnswer.AGREES else set())


def test_the_register_is_not_asked_again_and_again(db, now, civil_register):
    register(db, now, **PERSON)
    asked = [
        check_real_name(db, KEYRING, source="shop", customer_ref="C1", register=civil_register, now=now)
        for _ in range(4)
    ]
    assert [isinstance(one, CodeRefusal) for one in asked] == [False, False, False, True]


def test_a_register_that_is_away_is_told(db, now, tmp_path):
    register(db, now, **PERSON)
    away = RegisterFile(tmp_path / "nowhere.csv")
    with pytest.raises(UnableToCheck, match="name,national_id"):
        check_real_name(db, KEYRING, source="shop", customer_ref="C1", register=away, now=now)


def worked_out(challenge):
    for number in range(1 << 24):
        text = f"{challenge.text}:{number}"
        if int.from_bytes(hashlib.sha256(text.encode()).digest()) >> (256 - challenge.zero_bits) == 0:
            return text
    raise AssertionError("no answer")


def test_the_human_check_takes_an_answer_once_and_in_time(db, now):
    work = worked_out(new_challenge(KEYRING, nonce="ab", now=now))
    assert not check_human(db, KEYRING, work, now=now + timedelta(minutes=11))
    assert check_human(db, KEYRING, work, now=now)
    assert not check_human(db, KEYRING, work, now=now)


@pytest.mark.parametrize("answer", ["", ":", "a.b.c:1", "1.2.3", "9999999999.ab.tok_00:5", "1.é.x:٣"])
def test_the_human_check_refuses_what_it_did_not_ask(db, now, answer):
    assert not check_human(db, KEYRING, answer, now=now)


def test_the_file_sender_masks_the_address(tmp_path, monkeypatch):
    monkeypatch.delenv("SHOUXIN_SENDER", raising=False)
    sender = chosen_sender(Home(tmp_path))
    assert isinstance(sender, FileSender)
    from shouxin.ingestion.verification.domain import code_text

    sender.send(field="phone", address="10100000001", text=code_text("123456"), code="123456")
    line = (tmp_path / "outbox/messages.jsonl").read_text(encoding="utf-8")
    assert json.loads(line)["code"] == "123456" and "10100000001" not in line


def test_a_sender_that_is_none_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOUXIN_SENDER", "pigeon")
    with pytest.raises(UnableToChooseSender, match="SHOUXIN_SENDER"):
        chosen_sender(Home(tmp_path))
    monkeypatch.setenv("SHOUXIN_SENDER", "console")
    assert isinstance(chosen_sender(Home(tmp_path)), ConsoleSender)


class MailServer(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as one message needs."""

    def handle(self):
        def say(text):
            self.wfile.write(f"{text}\r\n".encode())

        say("220 mail.example")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ")[0].upper()
            if verb == "DATA":
                say("354 go on")
                lines = []
                while (text := self.rfile.readline()) != b".\r\n":
                    lines.append(text)
                self.server.messages.append(b"".join(lines).decode())
            elif verb == "QUIT":
                say("221 bye")
                return
            say("250 mail.example" if verb == "EHLO" else "250 ok")


def test_the_smtp_sender_hands_the_message_to_a_mail_server(tmp_path, monkeypatch):
    from email import message_from_string
    from email.policy import default

    from shouxin.ingestion.verification.domain import code_text

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer) as server:
        server.messages = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        monkeypatch.setenv("SHOUXIN_SENDER", f"smtp://127.0.0.1:{port}?from=shop@mail.example")
        sender = chosen_sender(Home(tmp_path))
        sender.send(field="email", address="chen@mail.example", text=code_text("123456"), code="123456")
        with pytest.raises(UnableToSend, match="phone"):
            sender.send(field="phone", address="10100000001", text=code_text("1"), code="1")
        server.shutdown()
    message = message_from_string(server.messages[0], policy=default)
    assert message["To"] == "chen@mail.example" and "123456" in message.get_content()
    gone = SmtpSender("127.0.0.1", port, "shop@mail.example", tls_from_start=False)
    with pytest.raises(UnableToSend) as told:
        gone.send(field="email", address="chen@mail.example", text=code_text("1"), code="1")
    assert "chen@" not in str(told.value)
    assert not isinstance(told.value, smtplib.SMTPException)
