"""The command line: one command a verb, in the order of the rooms.

Commands are loaded when they are used, so that ``shouxin doctor`` does not wait for the models.
Exit codes: 0 done, 1 refused or failed with one clear line on standard error, 2 wrong usage.
"""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from shouxin import __version__

# Command -> where it lives. The order is the order of the rooms, then the ground.
_COMMANDS = {
    "doctor": "doctor:doctor",
    "demo": "demo:demo",
    "serve": "serve:serve",
    "work": "work:work",
    "simulate": "simulate:simulate",
    "simulate-registrations": "simulate_registrations:simulate_registrations",
    "ingest": "ingest:app",
    "quality": "quality:app",
    "quarantine": "quarantine:app",
    "register": "register:register",
    "normalise": "normalise:app",
    "consent": "consent:app",
    "external": "external:app",
    "bureau": "bureau:app",
    "link": "link:link",
    "linkage": "linkage:app",
    "unify": "unify:unify",
    "customer": "customer:app",
    "features": "features:app",
    "train": "train:train",
    "evaluate": "evaluate:evaluate",
    "score": "score:score",
    "model": "model:app",
    "grade": "grade:grade",
    "policy": "policy:app",
    "decide": "decide:app",
    "personas": "personas:app",
    "review": "review:app",
    "report": "report:report",
    "roll": "roll:roll",
    "audit": "audit:app",
    "keys": "keys:app",
    "operator": "operator_admin:app",
    "api-key": "operator_admin:api_key_app",
    "bench": "bench:bench",
}


class _LazyGroup(TyperGroup):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        module_name, _, attribute = _COMMANDS[cmd_name].partition(":")
        found = getattr(importlib.import_module(f"{__name__}.{module_name}"), attribute)
        if isinstance(found, typer.Typer):
            command = typer.main.get_command(found)
        else:
            single = typer.Typer(add_completion=False)
            single.command()(found)
            command = typer.main.get_command(single)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_LazyGroup,
    help="Shouxin: customer credit risk for online shops. Start with `shouxin doctor` or `shouxin demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
) -> None:
    """Shouxin: customer credit risk for online shops. Start with `shouxin doctor` or `shouxin demo`."""
    if version:
        sys.stdout.write(f"shouxin {__version__}\n")
        raise typer.Exit


def main() -> None:
    """Run the command line; what the house is unable to do ends in one line, a bug in a traceback."""
    from sqlalchemy.exc import OperationalError

    try:
        app()
    except KeyboardInterrupt:
        sys.stderr.write("shouxin: interrupted; run the command again to go on\n")
        sys.exit(130)
    except OperationalError as error:
        sys.stderr.write(f"shouxin: the database does not answer: {str(error.orig).splitlines()[0]}\n")
        sys.exit(1)
    except OSError as error:
        sys.stderr.write(f"shouxin: {error.strerror or error}: {error.filename or ''}\n")
        sys.exit(1)
    except Exception as error:
        if not type(error).__name__.startswith("UnableTo"):
            raise
        sys.stderr.write(f"shouxin: {' '.join(str(error).split())}\n")
        sys.exit(1)
