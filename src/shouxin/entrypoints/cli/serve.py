"""`shouxin serve`: the API and the console."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from shouxin.database import find_home, opened
from shouxin.entrypoints.api.intake import IntakeLimits
from shouxin.entrypoints.cli.common import HomeOption, fail, say

HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]


def serve(host: HostOption = "127.0.0.1", port: PortOption = 8080, home: HomeOption = None) -> None:
    """Serve the API (/v1) and the console (/) until interrupted."""
    run_server(host=host, port=port, home=home)


def run_server(*, host: str, port: int, home: Path | None) -> None:
    """Open the house, watch its database and serve it; returns when interrupted."""
    from granian import Granian
    from granian.constants import Interfaces

    _refuse_taken_port(host, port)
    IntakeLimits.from_environment()  # told here in one line, not by a worker that can not start
    place = find_home(home)
    os.environ["SHOUXIN_HOME"] = str(place.path)
    with opened(place) as database:
        if database.server is not None:
            database.server.watch()
        say(f"Shouxin is serving: console http://{host}:{port}/  API http://{host}:{port}/v1  (Ctrl-C ends)")
        Granian(
            "shouxin.entrypoints.web:served_app",
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            factory=True,
            workers=1,
            log_enabled=False,
            respawn_failed_workers=True,
        ).serve()


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            fail(f"port {port} at {host} is taken; name another with --port")
