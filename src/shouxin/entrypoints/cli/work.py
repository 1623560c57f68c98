"""`shouxin work`: the scheduled jobs."""

from __future__ import annotations

from shouxin.entrypoints.cli.common import HomeOption, opened_house, say
from shouxin.entrypoints.jobs import run_worker


def work(home: HomeOption = None) -> None:
    """Expire holds, close business days, grade and watch everyone, on their schedule, until interrupted."""
    with opened_house(home) as house:
        if house.database.server is not None:
            house.database.server.watch()
        say("working: holds expire every minute; days close after midnight (Ctrl-C ends)")
        run_worker(house)
