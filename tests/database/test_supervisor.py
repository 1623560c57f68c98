"""The embedded server: starts, survives a kill, is shared, and stops when its last user leaves."""

import os
import shutil

import pytest
import sqlalchemy
from sqlalchemy import text

from conftest import QUICK
from shouxin.database import EmbeddedServer, Home, opened
from shouxin.database.supervisor import kill_hard, wait_until_gone


def test_the_last_user_stops_the_server(own_home):
    home = own_home
    with opened(home, settings=QUICK) as first:
        pid = first.server.pid()
        with opened(home, settings=QUICK) as second:
            assert second.server.pid() == pid
        assert first.server.is_running()
    assert wait_until_gone(pid)


def test_the_watch_starts_a_killed_server_again_and_nothing_committed_is_lost(own_home):
    home = own_home
    with opened(home) as database:
        owner = sqlalchemy.create_engine(database.server.url("shouxin_owner"))
        with owner.begin() as db:
            db.execute(text("CREATE TABLE kept (n int)"))
            db.execute(text("INSERT INTO kept VALUES (41)"))
        owner.dispose()
        pid = database.server.pid()
        kill_hard(pid)
        assert wait_until_gone(pid)
        database.server.watch()
        for _ in range(200):
            if database.server.is_running():
                break
            import time

            time.sleep(0.05)
        server = EmbeddedServer(home.server)
        server.attach()
        owner = sqlalchemy.create_engine(server.url("shouxin_owner"))
        with owner.begin() as db:
            assert db.scalar(text("SELECT n FROM kept")) == 41
        owner.dispose()
        server.detach()


def test_the_secrets_of_a_home_are_for_its_owner_only(own_home):
    home = own_home
    with opened(home, settings=QUICK):
        assert (home.server / "identity.json").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root meets folders that the server's user can not enter")
def test_as_root_below_a_closed_folder_the_server_finds_a_place(own_home):
    closed = own_home.path / "closed"
    closed.mkdir(mode=0o700)
    with opened(Home(closed / "var"), settings=QUICK) as database:
        place = database.server.place
        assert place != database.server.folder
        with database.begin() as db:
            assert db.scalar(text("SELECT 1")) == 1
    with opened(Home(closed / "var"), settings=QUICK) as database:
        assert database.server.place == place
    shutil.rmtree(place)
