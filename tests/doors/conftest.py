"""What tests of the console share: a small world, its console under a clock that tests move, a visitor."""

import pytest
from litestar.testing import TestClient

from doors.console_client import Browser, Clock
from doors.console_world import small_world
from shouxin.entrypoints.console import create_console_app
from shouxin.entrypoints.house import House


@pytest.fixture
def clock(now):
    return Clock(now)


@pytest.fixture
def world(fresh_database, now):
    return small_world(fresh_database, now=now)


@pytest.fixture
def app(world, clock):
    house = world.house
    return create_console_app(House(house.database, house.keyring, house.home, clock))


@pytest.fixture
def browser(app):
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Browser(client)
