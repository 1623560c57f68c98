"""Providers of credit data by settings: SHOUXIN_PROVIDERS, else ``providers.toml`` of the home, else none.

``shouxin bureau settings`` prints a file for the simulated bureau; docs/external.md explains every line.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
from msgspec import Meta

from shouxin.database import Home
from shouxin.entrypoints.house import House
from shouxin.entrypoints.provider_line import HttpLine
from shouxin.ingestion.external import (
    BreakerRules,
    Charging,
    Desk,
    Identifier,
    Product,
    Provider,
    Spelling,
)
from shouxin.kernel import Money, UnableToParseMoney

PROVIDERS_VARIABLE = "SHOUXIN_PROVIDERS"
PROVIDERS_FILE = "providers.toml"
_Word = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]
_Seconds = Annotated[float, Meta(gt=0, le=60)]


class UnableToReadProviders(ValueError):
    """The settings of the providers are not right; the message says where and how to mend it."""


class ProductSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[provider.product]]``."""

    code: _Word
    price: str
    charging: Charging = Charging.FOUND
    freshness_days: Annotated[int, Meta(ge=1, le=365)] = 30
    timeout_seconds: _Seconds = 3.0
    retries: Annotated[int, Meta(ge=0, le=5)] = 2
    identifier: Identifier = Identifier.NATIONAL_ID
    spelling: Spelling = Spelling.SHA256
    scale: tuple[int, int] | None = None
    nightly: bool = False


class ProviderSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[provider]]``; the secret is ``secret`` or in the variable named by ``secret_variable``."""

    name: _Word
    url: Annotated[str, Meta(pattern="^https?://[^/]+")]
    key: str
    secret: str | None = None
    secret_variable: str | None = None
    monthly_budget: str
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "CNY"
    failures_max: Annotated[int, Meta(ge=1, le=1_000)] = 5
    rest_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 30.0
    product: Annotated[list[ProductSettings], Meta(min_length=1)]


class Settings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    provider: list[ProviderSettings]


def providers_path(home: Home) -> Path | None:
    """The file of the settings, or None where there is none."""
    named = os.environ.get(PROVIDERS_VARIABLE)
    if named:
        return Path(named)
    usual = home.path / PROVIDERS_FILE
    return usual if usual.exists() else None


def known_providers(home: Home) -> list[Provider]:
    """The providers of the settings, none without any; nobody is called. Raises UnableToReadProviders."""
    path = providers_path(home)
    if path is None:
        return []
    return [_provider(provider, path) for provider in read_settings(path).provider]


@contextmanager
def opened_desk(house: House) -> Iterator[Desk | None]:
    """The desk that enquires for this house, or None without settings. Raises UnableToReadProviders."""
    path = providers_path(house.home)
    if path is None:
        yield None
        return
    settings = read_settings(path)
    lines = {provider.name: _line(provider, path) for provider in settings.provider}
    try:
        yield Desk(
            {provider.name: _provider(provider, path) for provider in settings.provider},
            lines,
            house.keyring,
            house.database.begin,
            house.clock,
            lambda wait: time.sleep(wait.total_seconds()),
            random.random,
        )
    finally:
        for line in lines.values():
            line.connections.close()


def read_settings(path: Path) -> Settings:
    """The settings in a TOML file. Raises UnableToReadProviders."""
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except OSError as error:
        raise UnableToReadProviders(
            f"{path} can not be read ({error.strerror}); {PROVIDERS_VARIABLE} names the file"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnableToReadProviders(f"{path}: {error}; docs/external.md explains the file") from None
    names = [provider.name for provider in settings.provider]
    sold = [(provider.name, product.code) for provider in settings.provider for product in provider.product]
    for seen in (names, sold):
        if len(set(seen)) < len(seen):
            raise UnableToReadProviders(f"{path}: a provider or a product stands there twice")
    return settings


def _provider(settings: ProviderSettings, path: Path) -> Provider:
    place = f"{path}: provider {settings.name}"
    return Provider(
        settings.name,
        _money(settings.monthly_budget, settings.currency, f"{place}: monthly_budget"),
        BreakerRules(settings.failures_max, timedelta(seconds=settings.rest_seconds)),
        tuple(_product(product, settings, place) for product in settings.product),
    )


def _product(product: ProductSettings, settings: ProviderSettings, place: str) -> Product:
    return Product(
        settings.name,
        product.code,
        _money(product.price, settings.currency, f"{place}: price of {product.code}"),
        product.charging,
        timedelta(days=product.freshness_days),
        timedelta(seconds=product.timeout_seconds),
        product.retries,
        product.identifier,
        product.spelling,
        product.scale,
        product.nightly,
    )


def _line(settings: ProviderSettings, path: Path) -> HttpLine:
    secret = settings.secret
    if settings.secret_variable is not None:
        secret = os.environ.get(settings.secret_variable)
    if not secret:
        raise UnableToReadProviders(
            f"{path}: provider {settings.name} has no secret; set `secret`, or `secret_variable` and that "
            "environment variable"
        )
    return HttpLine(settings.url, settings.key, secret, httpx.Client())


def _money(text: str, currency: str, place: str) -> Money:
    try:
        amount = Money.parse(text, currency)
    except UnableToParseMoney as error:
        raise UnableToReadProviders(f"{place}: {error}") from None
    if amount.minor < 0:
        raise UnableToReadProviders(f"{place}: {text} is below zero")
    return amount
