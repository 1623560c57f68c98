"""``shouxin policy``: look at policies and check one before it is handed in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin import decisions, features
from shouxin.decisions import Policy, UnableToReadPolicy
from shouxin.decisions.domain import check_features
from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, fail, opened_house, print_table
from shouxin.kernel import Money

app = typer.Typer(help="The policy that decides at the checkout, and its versions.", no_args_is_help=True)


@app.command()
def show(
    policy_hash: Annotated[
        str | None, typer.Argument(help="A version by its hash; default the one that is live.")
    ] = None,
    decision_point: Annotated[str, typer.Option(help="Where it decides.")] = "checkout",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a version: its limits by grade and its rules in order."""
    with opened_house(home) as house, house.database.begin() as db:
        policy = (
            decisions.find_policy(db, policy_hash)
            if policy_hash
            else decisions.live_policy(db, decision_point)
        )
    if policy is None:
        fail(
            f"no such policy is kept: {policy_hash}"
            if policy_hash
            else f"no policy is live for {decision_point!r}; see `shouxin policy list`"
        )
    if as_json:
        emit({"policy_hash": policy.policy_hash, "policy": json.loads(policy.body)}, as_json=True)
    else:
        _print_policy(policy)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A policy as JSON.", exists=True, dir_okay=False)],
    as_json: JsonOption = False,
) -> None:
    """Read a policy file and say whether it is clear; nothing is kept."""
    try:
        policy = decisions.parse_policy(file.read_bytes())
        check_features(policy, [definition.name for definition in features.CATALOGUE])
    except UnableToReadPolicy as error:
        fail(f"{file}: {error}")
    emit(_summary(policy), as_json=as_json, title=str(file))


@app.command(name="list")
def list_versions(
    decision_point: Annotated[str | None, typer.Option(help="Only of this decision point.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all versions and where they stand."""
    with opened_house(home) as house, house.database.begin() as db:
        versions = decisions.list_policies(db, decision_point)
    rows = [
        {
            "policy_hash": version.policy_hash,
            "name": version.name,
            "decision_point": version.decision_point,
            "author": version.author,
            "stage": version.stage.value,
            "since": version.since.isoformat(),
        }
        for version in versions
    ]
    if as_json:
        emit({"policies": rows}, as_json=True)
    else:
        print_table(
            "Policies", ("hash", "name", "where", "author", "stage", "since"), [[*r.values()] for r in rows]
        )


def _summary(policy: Policy) -> dict[str, Any]:
    return {
        "policy_hash": policy.policy_hash,
        "name": policy.name,
        "decision_point": policy.decision_point,
        "rules": len(policy.rules),
        "plans": sorted(policy.plans),
        "clear": True,
    }


def _print_policy(policy: Policy) -> None:
    limits = [(grade, str(Money(minor, policy.currency))) for grade, minor in policy.limits.items()]
    print_table(f"{policy.name} ({policy.decision_point}) {policy.policy_hash}", ("grade", "limit"), limits)
    rules = [
        (rule.rule_id, rule.outcome.value, rule.on_unknown.value, rule.reason.code, rule.meaning.en)
        for rule in policy.rules
    ]
    print_table("Rules", ("rule", "outcome", "if unknown", "reason", "meaning"), rules)
