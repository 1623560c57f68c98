"""Registrations: somebody becomes a customer, checked at the door."""

from __future__ import annotations

import msgspec
from litestar import post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody

from shouxin.entrypoints.api import answers
from shouxin.entrypoints.api.description import KEYED, described
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.messages import RegistrationMessage
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope
from shouxin.ingestion import registration


@post(
    "/registrations",
    sync_to_thread=True,
    dependencies={"caller": Provide(caller_with(Scope.EVENTS_WRITE), sync_to_thread=True)},
    summary="Register a customer",
    **described("register", tag="customers", answer=answers.Registered, refusals=(*KEYED, 415)),
)
def register(
    data: JSONBody[RegistrationMessage], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> answers.Registered:
    """Names, phones, e-mails and ids are checked; each wrong field is named. The same again: a duplicate."""
    with house.database.begin() as db:
        (found,) = registration.register(
            db,
            [msgspec.to_builtins(data)],
            source=caller.source,
            keyring=house.keyring,
            now=house.clock(),
        )
    # Outside the transaction: what was refused waits in quarantine.
    if found.outcome == "refused":
        errors = [
            {"pointer": f"#/{one.field}", "detail": one.text.en, "text": one.text.as_data()}
            for one in found.refusals
        ]
        detail = "; ".join(f"{one['pointer']}: {one['detail']}" for one in errors)
        raise Problem(422, "Unprocessable content", detail, more={"errors": errors})
    warnings = [
        answers.FieldText(field=one.field, text=answers.Text(zh=one.text.zh, en=one.text.en))
        for one in found.warnings
    ]
    return answers.Registered(
        customer_ref=found.customer_ref,
        outcome="duplicate" if found.outcome == "duplicate" else "accepted",
        warnings=warnings,
    )
