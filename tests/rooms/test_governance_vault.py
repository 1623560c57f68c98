"""The vault: wrapping keys that turn and die, whatever dies in between, and beside running writers."""

import base64
import os
import threading
import time

import pytest
from sqlalchemy import text

from shouxin.database import Home
from shouxin.governance import (
    UnableToChangeMaster,
    UnableToErase,
    UnableToLoadKey,
    UnableToOpen,
    UnableToSeal,
    change_master,
    check_keyring,
    destroy_erased_keys,
    erase_subjects,
    erased_subjects,
    keys_status,
    load_keyring,
    rotate_keys,
    sealer,
)
from shouxin.governance.ciphers import SealingCipher, decrypt, encrypt
from shouxin.governance.domain.slots import SLOTS, slot_of
from shouxin.governance.key_file import KeyFile
from shouxin.governance.service import turning
from shouxin.kernel import silent

ONE = "shop:C1"
# Two more in the slot of C1, found by trying.
NEIGHBOUR = next(f"shop:N{n}" for n in range(100_000) if slot_of(f"shop:N{n}") == slot_of(ONE))
THIRD = next(f"shop:T{n}" for n in range(100_000) if slot_of(f"shop:T{n}") == slot_of(ONE))


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch):
    for name in ("SHOUXIN_MASTER_KEY", "SHOUXIN_NEXT_MASTER_KEY", "SHOUXIN_CIPHER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def vault(fresh_database):
    """A database and its keyring, with one value of C1 and one of a neighbour in the same slot."""
    keyring = load_keyring(fresh_database.home)
    with fresh_database.begin() as db:
        check_keyring(db, keyring)
        safe = sealer(db, keyring)
        sealed = {subject: safe.seal(subject, "name", f"name of {subject}") for subject in (ONE, NEIGHBOUR)}
    return fresh_database, keyring, sealed


def wrapped(database):
    """The table of data keys, as a dump would hold it."""
    with database.begin() as db:
        rows = db.execute(text("SELECT subject, generation, wrapped FROM governance.data_key"))
        return {row.subject: (row.generation, row.wrapped) for row in rows}


def opens_in_dump(home, dump, subject, sealed):
    """Whether a key that is left in the file opens what an old dump holds of a subject."""
    generation, key = dump[subject]
    try:
        data_key = load_keyring(home).unwrap(subject, bytes(key), generation=generation)
        return decrypt(data_key, sealed, context=f"{subject}\x1fname").decode() == f"name of {subject}"
    except UnableToOpen:
        return False


def turn(database, keyring):
    """Turn the slot of C1."""
    turning._turn(database.begin, keyring, [slot_of(ONE)], progress=silent)


def read(database, keyring, subject, sealed):
    with database.begin() as db:
        return sealer(db, keyring).open(subject, "name", sealed)


def test_sql_and_program_agree_on_the_slot_of_a_subject(db):
    for subject in (ONE, "shop:客户-1", "#keyring", "a" * 300):
        found = db.scalar(
            text(
                "SELECT get_byte(sha256(convert_to(:s, 'UTF8')), 0) * 4"
                " + get_byte(sha256(convert_to(:s, 'UTF8')), 1) / 64"
            ),
            {"s": subject},
        )
        assert found == slot_of(subject)
        assert 0 <= found < SLOTS


def test_an_erased_subject_opens_neither_here_nor_in_the_dump_and_the_neighbour_does(vault, now):
    database, keyring, sealed = vault
    dump = wrapped(database)
    assert opens_in_dump(database.home, dump, ONE, sealed[ONE])
    with database.begin() as db:
        erase_subjects(db, {ONE}, now=now)
    # Committed, and the wrapping key still there: that is why destroying it is a step of its own.
    assert opens_in_dump(database.home, dump, ONE, sealed[ONE])
    assert destroy_erased_keys(database.begin, keyring) == 1
    assert not opens_in_dump(database.home, dump, ONE, sealed[ONE])
    with pytest.raises(UnableToOpen):
        read(database, keyring, ONE, sealed[ONE])
    assert read(database, keyring, NEIGHBOUR, sealed[NEIGHBOUR]) == f"name of {NEIGHBOUR}"
    assert destroy_erased_keys(database.begin, keyring) == 0


def test_no_key_is_made_again_for_an_erased_subject(vault, now):
    database, keyring, _ = vault
    with database.begin() as db:
        erase_subjects(db, {ONE, "shop:never-seen"}, now=now)
    with database.begin() as db:
        assert erased_subjects(db, {ONE, NEIGHBOUR, "shop:never-seen"}) == {ONE, "shop:never-seen"}
        for subject in (ONE, "shop:never-seen"):
            with pytest.raises(UnableToSeal):
                sealer(db, keyring).seal(subject, "name", "again")


def test_nobody_is_erased_while_somebody_seals_for_them(vault, now):
    database, keyring, _ = vault
    with database.begin() as writer:
        sealer(writer, keyring).prepare([ONE])
        with database.begin() as db, pytest.raises(UnableToErase, match="again"):
            erase_subjects(db, {ONE}, now=now)


CRASHES = {
    "before the new key is on the disk": (turning.Keyring, "add_generations", "before"),
    "after the new key is on the disk": (turning.Keyring, "add_generations", "after"),
    "before the commit": (turning.key_slots, "set_generation", "after"),
    "after the commit": (turning.Keyring, "destroy_before", "before"),
    "after the old key is destroyed": (turning.Keyring, "destroy_before", "after"),
}


@pytest.mark.parametrize("point", CRASHES)
def test_a_turn_that_dies_at_any_point_is_finished_by_whoever_comes_next(vault, now, monkeypatch, point):
    database, keyring, sealed = vault
    dump = wrapped(database)
    with database.begin() as db:
        erase_subjects(db, {ONE}, now=now)
    owner, name, when = CRASHES[point]
    real = getattr(owner, name)

    def dying(*arguments, **named):
        if when == "after":
            real(*arguments, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dying)
        with pytest.raises(Killed):
            destroy_erased_keys(database.begin, keyring)
    # Another process opens the house: it has read nothing yet.
    again = load_keyring(database.home)
    with database.begin() as db:
        check_keyring(db, again)
    assert read(database, again, NEIGHBOUR, sealed[NEIGHBOUR]) == f"name of {NEIGHBOUR}"
    destroy_erased_keys(database.begin, again)
    assert not opens_in_dump(database.home, dump, ONE, sealed[ONE])
    assert read(database, again, NEIGHBOUR, sealed[NEIGHBOUR]) == f"name of {NEIGHBOUR}"
    with database.begin() as db:
        status = keys_status(db, again)
    assert (status.unturned, status.unreadable, status.spare) == (0, 0, 0)


def test_a_process_that_slept_through_a_turn_reads_and_writes(vault, now):
    database, keyring, sealed = vault
    asleep = load_keyring(database.home)
    turn(database, keyring)
    assert read(database, asleep, ONE, sealed[ONE]) == f"name of {ONE}"
    with database.begin() as db:
        sealer(db, asleep).seal(THIRD, "name", "x")
    assert wrapped(database)[THIRD][0] == 2


def test_a_keyring_drops_a_destroyed_key_from_memory_when_it_is_next_used(vault, now):
    database, keyring, _ = vault
    asleep = load_keyring(database.home)
    assert asleep.generations(slot_of(ONE)) == (1,)
    turn(database, keyring)
    with database.begin() as db:
        sealer(db, asleep)
    assert asleep.generations(slot_of(ONE)) == (2,)


def test_keys_rotate_beside_running_writers_and_readers(vault):
    database, keyring, sealed = vault
    stop, wrong, written = threading.Event(), [], {}

    def work(number):
        own = load_keyring(database.home)
        count = 0
        while not stop.is_set():
            subjects = [f"shop:W{number}-{count}-{n}" for n in range(20)]
            try:
                with database.begin() as db:
                    safe = sealer(db, own)
                    safe.prepare(subjects)
                    written.update({one: safe.seal(one, "name", f"name of {one}") for one in subjects})
                if read(database, own, ONE, sealed[ONE]) != f"name of {ONE}":
                    wrong.append(ONE)
            except Exception as error:
                wrong.append(error)
            count += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()

    def beside(done, total):
        """Half way through, wait until all have worked beside the rotation."""
        deadline = time.monotonic() + 60
        while done * 2 > total and len(written) < 60 and not wrong and time.monotonic() < deadline:
            time.sleep(0.01)

    rotate_keys(database.begin, keyring, progress=beside)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(written) >= 60
    with database.begin() as db:
        safe = sealer(db, load_keyring(database.home))
        safe.load(written)
        assert all(safe.open(one, "name", value) == f"name of {one}" for one, value in written.items())
        status = keys_status(db, keyring)
    assert (status.generation_oldest, status.generation_newest, status.unreadable, status.spare) == (
        2,
        2,
        0,
        0,
    )


def test_two_who_rotate_at_once_lose_nothing(vault):
    database, _, sealed = vault
    threads = [
        threading.Thread(target=rotate_keys, args=(database.begin, load_keyring(database.home)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.begin() as db:
        assert keys_status(db, load_keyring(database.home)).unreadable == 0
    assert read(database, load_keyring(database.home), ONE, sealed[ONE]) == f"name of {ONE}"


def test_an_interrupted_rotation_keeps_what_it_turned_and_can_be_run_again(vault):
    database, keyring, sealed = vault

    def stop(done, total):
        if done == 70:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_keys(database.begin, keyring, progress=stop)
    with database.begin() as db:
        status = keys_status(db, keyring)
    assert (status.generation_oldest, status.generation_newest, status.unreadable) == (1, 2, 0)
    assert rotate_keys(database.begin, load_keyring(database.home)) == 3  # ours and that of the check
    assert read(database, keyring, ONE, sealed[ONE]) == f"name of {ONE}"
    with database.begin() as db:
        assert keys_status(db, keyring).spare == 0


def test_an_older_key_file_is_told_apart(vault, now):
    database, keyring, _ = vault
    file = database.home.keys / "keyring.sealed"
    old = file.read_bytes()
    turn(database, keyring)
    file.write_bytes(old)
    with database.begin() as db, pytest.raises(UnableToLoadKey, match="newest copy"):
        check_keyring(db, load_keyring(database.home))


def test_a_lost_key_file_is_told(vault):
    database, _, _ = vault
    (database.home.keys / "keyring.sealed").unlink()
    anew = load_keyring(database.home)
    with database.begin() as db, pytest.raises(UnableToLoadKey, match="bring back"):
        check_keyring(db, anew)


def test_the_master_key_changes_and_only_the_key_file_with_it(vault):
    database, keyring, sealed = vault
    before, dump, master = keyring.token("name", "x"), wrapped(database), KeyFile(database.home.keys)
    old = master.master_path.read_bytes()
    with database.begin() as db:
        change_master(db, keyring)
    assert master.master_path.read_bytes() != old
    assert wrapped(database) == dump
    anew = load_keyring(database.home)
    assert anew.token("name", "x") == before
    assert read(database, anew, ONE, sealed[ONE]) == f"name of {ONE}"
    assert {entry.name for entry in database.home.keys.iterdir()} == {
        "master.key",
        "keyring.sealed",
        "keyring.lock",
    }
    master.master_path.write_bytes(old)
    with pytest.raises(UnableToLoadKey, match="does not open"):
        load_keyring(database.home)


@pytest.mark.parametrize("dies", ["_write", "replace"])
def test_a_change_of_master_that_dies_leaves_keys_that_open(vault, monkeypatch, dies):
    database, keyring, sealed = vault

    def dying(*_arguments, **_named):
        raise Killed

    with monkeypatch.context() as patch:
        if dies == "_write":
            patch.setattr(KeyFile, "_write", dying)
        else:
            patch.setattr(KeyFile, "_finish_change_of_master", _dying_after(1))
        with pytest.raises(Killed), database.begin() as db:
            change_master(db, keyring)
    for _ in range(2):
        anew = load_keyring(database.home)
        assert read(database, anew, ONE, sealed[ONE]) == f"name of {ONE}"
        assert not (database.home.keys / "master.key.next").exists()


def _dying_after(calls):
    real, left = KeyFile._finish_change_of_master, [calls]

    def dying(self):
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        real(self)

    return dying


def test_a_master_key_from_the_environment_changes_to_the_next_one(fresh_database, monkeypatch):
    old, following = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    monkeypatch.setenv("SHOUXIN_MASTER_KEY", old)
    keyring = load_keyring(fresh_database.home)
    with fresh_database.begin() as db:
        with pytest.raises(UnableToLoadKey, match="SHOUXIN_NEXT_MASTER_KEY"):
            change_master(db, keyring)
        monkeypatch.setenv("SHOUXIN_NEXT_MASTER_KEY", following)
        change_master(db, keyring)
    before = keyring.token("name", "x")
    monkeypatch.delenv("SHOUXIN_NEXT_MASTER_KEY")
    with pytest.raises(UnableToLoadKey, match="does not open"):
        load_keyring(fresh_database.home)
    monkeypatch.setenv("SHOUXIN_MASTER_KEY", following)
    assert load_keyring(fresh_database.home).token("name", "x") == before


def test_keys_of_before_there_were_slots_open_rotate_and_then_outlive_their_master(vault, now):
    database, keyring, sealed = vault
    data_key = {}
    for subject, (generation, key) in wrapped(database).items():
        clear = keyring.unwrap(subject, bytes(key), generation=generation)
        data_key[subject] = keyring.wrap(subject, clear, generation=0)
    with database.begin() as db:
        for subject, key in data_key.items():
            db.execute(
                text("UPDATE governance.data_key SET wrapped = :w, generation = 0 WHERE subject = :s"),
                {"w": key, "s": subject},
            )
    assert read(database, keyring, ONE, sealed[ONE]) == f"name of {ONE}"
    with database.begin() as db, pytest.raises(UnableToChangeMaster, match="keys rotate"):
        change_master(db, keyring)
    dump = wrapped(database)
    rotate_keys(database.begin, keyring)
    assert opens_in_dump(database.home, dump, ONE, sealed[ONE])
    with database.begin() as db:
        change_master(db, keyring)
        assert keys_status(db, keyring).under_master == 0
    assert not opens_in_dump(database.home, dump, ONE, sealed[ONE])
    assert read(database, keyring, ONE, sealed[ONE]) == f"name of {ONE}"


def test_sm4_seals_when_chosen_and_both_ways_always_open(vault, monkeypatch):
    database, _, sealed = vault
    monkeypatch.setenv("SHOUXIN_CIPHER", "sm4-gcm")
    keyring = load_keyring(database.home)
    assert read(database, keyring, ONE, sealed[ONE]) == f"name of {ONE}"
    with database.begin() as db:
        safe = sealer(db, keyring)
        new = safe.seal("shop:S", "name", "陈文静")
        assert (new[:1], sealed[ONE][:1]) == (b"\x02", b"\x01")
        assert safe.open("shop:S", "name", new) == "陈文静"
        changed = bytearray(new)
        changed[-1] ^= 1
        with pytest.raises(UnableToOpen):
            safe.open("shop:S", "name", bytes(changed))
    monkeypatch.setenv("SHOUXIN_CIPHER", "aes-256-gcm")
    assert read(database, load_keyring(database.home), "shop:S", new) == "陈文静"
    monkeypatch.setenv("SHOUXIN_CIPHER", "rot13")
    with pytest.raises(UnableToLoadKey, match="sm4-gcm"):
        load_keyring(database.home)


def test_a_context_binds_whatever_the_cipher():
    for cipher in SealingCipher:
        sealed = encrypt(bytes(32), b"x", context="a", cipher=cipher)
        assert decrypt(bytes(32), sealed, context="a") == b"x"
        for key, context in ((bytes(32), "b"), (b"k" * 32, "a")):
            with pytest.raises(UnableToOpen):
                decrypt(key, sealed, context=context)


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    load_keyring(Home(tmp_path))
    (tmp_path / "keys/keyring.sealed").chmod(0o644)
    with pytest.raises(UnableToLoadKey, match="chmod 600"):
        load_keyring(Home(tmp_path))
