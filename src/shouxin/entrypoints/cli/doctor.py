"""`shouxin doctor`: what is right and what is wrong with this installation."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from sqlalchemy import Connection, text

from shouxin import credit, decisions, governance, ingestion, scoring
from shouxin.database import current_revision, find_home, head_revision
from shouxin.entrypoints.cli.common import HomeOption, House, JsonOption, emit, opened_house, print_table
from shouxin.entrypoints.providers import UnableToReadProviders, known_providers
from shouxin.features import shopwide
from shouxin.ingestion import external

_FREE_BYTES_MIN = 2 * 1024**3
_APPEND_ONLY = ("ingestion.event", "credit.posting", "decisions.decision", "governance.audit")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: ``state`` is right, wrong or note; ``mend`` says what to do."""

    name: str
    state: str
    told: str
    mend: str = ""


def doctor(home: HomeOption = None, json: JsonOption = False) -> None:
    """Look at this installation and tell what is right and what is wrong; exit 1 when anything is wrong."""
    findings = [*_look_at_the_ground(home), *_look_inside(home)]
    wrong = sum(finding.state == "wrong" for finding in findings)
    if json:
        rows = [{"name": f.name, "state": f.state, "told": f.told, "mend": f.mend} for f in findings]
        emit({"wrong": wrong, "findings": rows}, as_json=True)
    else:
        marks = {"right": "[green]✓[/]", "wrong": "[red]✗[/]", "note": "[yellow]•[/]"}
        print_table("Shouxin doctor", ["", "what", "found", "what to do"], _rows(findings, marks))
    if wrong:
        raise typer.Exit(1)


def _rows(findings: list[Finding], marks: dict[str, str]) -> list[tuple[str, str, str, str]]:
    return [(marks[f.state], f.name, f.told, f.mend) for f in findings]


def _look_at_the_ground(home: Path | None) -> Iterator[Finding]:
    place = find_home(home)
    told = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("Python", "right", told)
    place.path.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(place.path).free
    state = "right" if free >= _FREE_BYTES_MIN else "wrong"
    mend = "" if state == "right" else "make room: 2 GiB is the least to work with"
    yield Finding("disk", state, f"{free / 1024**3:.1f} GiB free at {place.path}", mend)
    assets = Path(__file__).parents[1] / "console/static/vendor/htmx.min.js"
    if assets.exists():
        yield Finding("browser assets", "right", "htmx is there")
    else:
        yield Finding("browser assets", "wrong", "htmx is missing", "run `python scripts/browser_assets.py`")


def _look_inside(home: Path | None) -> Iterator[Finding]:
    try:
        with opened_house(home) as house:
            yield from _look_at_the_house(house)
    except Exception as error:
        yield Finding(
            "database", "wrong", " ".join(str(error).split())[:300], "see the message; then run again"
        )


def _look_at_the_house(house: House) -> Iterator[Finding]:
    looks: tuple[Callable[[Connection], Finding], ...] = (
        _server, _migrations, _grants, _audit, _ledger, _model, _policy, _events, _operators,
    )  # fmt: skip
    yield _keys(house)
    yield _key_file(house)
    yield _external(house)
    yield _shopwide(house)
    for look in looks:
        with house.database.begin() as db:
            yield look(db)  # a look that fails ends the round: what it needs is broken


def _external(house: House) -> Finding:
    """Providers of credit data are not needed; settings that can not be read, or a breaker, are told."""
    try:
        providers = known_providers(house.home)
    except UnableToReadProviders as error:
        return Finding("external data", "wrong", str(error), "mend the file; docs/external.md explains it")
    if not providers:
        return Finding("external data", "right", "no provider is set up, and none is needed")
    with house.database.begin() as db:
        found = external.status(db, providers, now=house.clock())
    told = ", ".join(
        f"{item.provider.name}: {item.breaker.state.value}, {item.spent} spent" for item in found
    )
    closed = all(each.breaker.state is external.BreakerState.CLOSED for each in found)
    return Finding("external data", "right" if closed else "note", told)


def _shopwide(house: House) -> Finding:
    """A night that was not kept leaves its features null, and models with less to go by."""
    with house.database.begin() as db:
        missed = shopwide.nights_missing(db, as_of=house.clock())
    if missed:
        told = f"missing for {len(missed)} of the last 7 nights, {missed[-1]} the newest"
        return Finding("shop-wide features", "note", told, "let `shouxin work` run through the night")
    return Finding("shop-wide features", "right", "no night is missing")


def _keys(house: House) -> Finding:
    key = house.home.keys / "master.key"
    if not key.exists():
        return Finding("master key", "right", "given by SHOUXIN_MASTER_KEY")
    if key.stat().st_mode & 0o077:
        return Finding("master key", "wrong", f"others may read {key}", f"chmod 600 {key}")
    return Finding(
        "master key", "note", f"{key}, readable by its owner only", "keep a copy apart from any backup"
    )


def _key_file(house: House) -> Finding:
    with house.database.begin() as db:
        keys = governance.keys_status(db, house.keyring)
    told = f"{keys.subjects:,} keys in {keys.slots:,} slots, {keys.erased:,} erased"
    if keys.unturned or keys.unreadable:
        return Finding(
            "key file", "wrong", f"{told}; {keys.unturned + keys.unreadable} slots are not right",
            "`shouxin keys status`; docs/operating.md",
        )  # fmt: skip
    if keys.under_master or keys.erased_under_master:
        mend = "`shouxin keys rotate`, then `shouxin keys change-master`"
        return Finding("key file", "note", f"{told}; some lay under the master key itself", mend)
    return Finding("key file", "right", told)


def _server(db: Connection) -> Finding:
    version = db.scalar(text("SHOW server_version"))
    durable = db.scalar(text("SHOW fsync")) == "on" and db.scalar(text("SHOW synchronous_commit")) != "off"
    if not durable:
        return Finding(
            "PostgreSQL", "wrong", f"{version}, commits may be lost", "set fsync and synchronous_commit on"
        )
    return Finding("PostgreSQL", "right", f"{version}, commits are durable")


def _migrations(db: Connection) -> Finding:
    revision, head = current_revision(db), head_revision()
    state = "right" if revision == head else "wrong"
    return Finding("schemas", state, f"at revision {revision} of {head}")


def _grants(db: Connection) -> Finding:
    sql = text("SELECT has_table_privilege(:table, 'UPDATE') OR has_table_privilege(:table, 'DELETE')")
    loose = [table for table in _APPEND_ONLY if db.scalar(sql, {"table": table})]
    if loose:
        mend = "log in with a role of its own; see docs/operating.md"
        return Finding("append-only", "wrong", f"the application may change {', '.join(loose)}", mend)
    return Finding("append-only", "right", f"{len(_APPEND_ONLY)} tables that the application can only add to")


def _audit(db: Connection) -> Finding:
    verdict = governance.verify_audit(db)
    if verdict.intact:
        return Finding("audit chain", "right", f"{verdict.entries:,} entries, unbroken")
    return Finding(
        "audit chain", "wrong", f"broken at entry {verdict.first_broken}", "restore a backup; call audit"
    )


def _ledger(db: Connection) -> Finding:
    check = credit.check_ledger(db)
    told = f"{check.postings:,} postings"
    if check.balanced:
        return Finding("ledger", "right", f"{told}, balanced")
    return Finding("ledger", "wrong", f"{told}, not balanced", "stop lending; see `shouxin doctor --json`")


def _model(db: Connection) -> Finding:
    champion = scoring.champion(db)
    if champion is None:
        return Finding(
            "champion model", "note", "none yet", "`shouxin demo`, or `shouxin grade` then promote"
        )
    return Finding("champion model", "right", f"{champion.model} {champion.hash[:19]}")


def _policy(db: Connection) -> Finding:
    policy = decisions.live_policy(db, "checkout")
    if policy is None:
        return Finding("checkout policy", "note", "none is live", "`shouxin demo` publishes the standard one")
    return Finding("checkout policy", "right", f"{policy.name} {policy.policy_hash[:19]}")


def _events(db: Connection) -> Finding:
    return Finding("events", "note", f"{ingestion.event_count(db):,} in the log")


def _operators(db: Connection) -> Finding:
    count = db.scalar(text("SELECT count(*) FROM governance.operator"))
    mend = "" if count else "`shouxin operator add`"
    return Finding("operators", "note", f"{count} known", mend)
