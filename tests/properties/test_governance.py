"""Governance: what holds for every value."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shouxin.governance import SEALED_FIELDS, TOKEN_FIELDS, Keyring, UnableToOpen, normalised
from shouxin.governance.ciphers import decrypt, encrypt
from shouxin.governance.domain import FIRST_HASH, Guard, candidate_steps, chained, session_end, verdict

KEYRING = Keyring.from_master(bytes(range(32)))
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FIELDS = st.sampled_from(SEALED_FIELDS + TOKEN_FIELDS)
ANY_TEXT = st.text(st.characters())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(FIELDS, ANY_TEXT)
def test_normalising_twice_changes_nothing_and_a_token_says_nothing(field, value):
    once = normalised(field, value)
    assert normalised(field, once) == once
    token = KEYRING.token(field, value)
    assert token == KEYRING.token(field, once)
    assert len(token) == 34 and token.startswith("tok_")


@given(st.from_regex(r"1[3-9]\d{9}", fullmatch=True), st.sampled_from(["", "+86", "0086", "86"]))
def test_every_spelling_of_a_mobile_number_has_one_token(number, prefix):
    spelt = f" {prefix} {number[:3]}-{number[3:7]} {number[7:]} "
    assert KEYRING.token("phone", spelt) == KEYRING.token("phone", number)


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_sealing_gives_back_the_value_and_nothing_else_opens_it(clear, context, data):
    key = bytes(32)
    sealed = encrypt(key, clear, context=context)
    assert decrypt(key, sealed, context=context) == clear
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[place] ^= data.draw(st.integers(1, 255))
    for attempt in ((bytes(changed), context), (sealed, context + "x"), (sealed[:-1], context)):
        try:
            decrypt(key, attempt[0], context=attempt[1])
        except UnableToOpen:
            continue
        raise AssertionError("a changed value opened")


def chain(details):
    entries, previous = [], None
    for number, detail in enumerate(details):
        entry = chained(
            previous, at=NOW, actor="op", action="x", subject=str(number), detail={"value": detail}
        )
        entries.append(entry)
        previous = (entry.entry_no, entry.hash)
    return entries


@given(st.lists(JSON, min_size=1, max_size=6), st.data())
def test_any_single_change_to_the_chain_is_found_where_it_is(details, data):
    entries = chain(details)
    assert verdict(entries).intact
    assert entries[0].previous_hash == FIRST_HASH
    place = data.draw(st.integers(0, len(entries) - 1))
    change = data.draw(
        st.sampled_from(
            [
                {"actor": "somebody else"},
                {"action": "y"},
                {"subject": "another"},
                {"at": NOW + timedelta(microseconds=1)},
                {"detail": {}},
                {"hash": "f" * 64},
                {"previous_hash": "f" * 64},
            ]
        )
    )
    entries[place] = replace(entries[place], **change)
    found = verdict(entries)
    assert (found.intact, found.first_broken, found.entries) == (False, place + 1, len(entries))


@given(st.lists(JSON, min_size=2, max_size=6), st.data())
def test_a_missing_entry_is_found_unless_it_was_the_last(details, data):
    entries = chain(details)
    place = data.draw(st.integers(0, len(entries) - 2))
    head = entries[-1].hash
    del entries[place]
    assert not verdict(entries).intact
    assert verdict(chain(details)[:-1]).head != head


@given(st.lists(st.integers(0, 2000), max_size=40))
def test_a_name_never_gets_six_guesses_within_the_lock_out_time(gaps):
    guard, now, guesses = Guard(), NOW, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        if not guard.is_locked(now):
            guard = guard.after_failure(now)
            guesses.append(now)
    for index in range(5, len(guesses)):
        assert guesses[index] - guesses[index - 5] >= timedelta(minutes=15)


@given(st.integers(0, 10**6), st.integers(-5, 5))
def test_a_used_code_step_is_never_a_candidate_again(seconds, used):
    now = NOW + timedelta(seconds=seconds)
    current = int(now.timestamp()) // 30
    steps = candidate_steps(now, step_used=current + used)
    assert all(step > current + used and abs(step - current) <= 1 for step in steps)
    assert candidate_steps(now, step_used=0) == (current - 1, current, current + 1)


@given(st.integers(0, 60 * 24))
def test_a_session_lasts_twelve_hours_at_most(minutes):
    end = session_end(signed_in_at=NOW, last_seen_at=NOW + timedelta(minutes=minutes))
    assert end <= NOW + timedelta(hours=12)
    assert end <= NOW + timedelta(minutes=minutes + 30)
