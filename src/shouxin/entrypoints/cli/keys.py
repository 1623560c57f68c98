"""`shouxin keys`: how the keys stand, new wrapping keys, a new master key."""

from __future__ import annotations

from dataclasses import asdict

import typer

from shouxin import governance
from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    opened_house,
    progress_bar,
    say,
)
from shouxin.governance.key_file import KEY_VARIABLE

app = typer.Typer(help="The keys of the vault: how they stand, and how they change.", no_args_is_help=True)


@app.command()
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Tell how many subjects have keys, how old the wrapping keys are, and what is left to do."""
    with opened_house(home) as house, house.database.begin() as db:
        found = governance.keys_status(db, house.keyring)
    emit(asdict(found), as_json=as_json, title="Keys")


@app.command()
def rotate(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Give every slot a new wrapping key and destroy the old one, beside whatever else is running."""
    with opened_house(home) as house:
        with progress_bar("slots turned") as advance:
            wrapped = governance.rotate_keys(house.database.begin, house.keyring, progress=advance)
        with house.database.begin() as db:
            found = governance.keys_status(db, house.keyring)
    emit({"wrapped_anew": wrapped} | asdict(found), as_json=as_json, title="Keys")


@app.command("change-master")
def change_master(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Encrypt the key file under a new master key; the data stays as it is."""
    with opened_house(home) as house:
        with house.database.begin() as db:
            governance.change_master(db, house.keyring)
            found = governance.keys_status(db, house.keyring)
        place = house.home.keys / "master.key"
    say(
        f"the new master key is in {place}; destroy every copy of the old one"
        if place.exists()
        else f"set {KEY_VARIABLE} to the new key everywhere, then destroy every copy of the old one"
    )
    emit(asdict(found), as_json=as_json, title="Keys")
