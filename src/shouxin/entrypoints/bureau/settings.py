"""The settings by which a house buys from the simulated bureau."""

from __future__ import annotations

from shouxin.simulation import bureau

_PROVIDER = """\
# Shouxin: providers of credit data. Put this file into the home as providers.toml, or name it in
# SHOUXIN_PROVIDERS. The bureau is simulated (shouxin bureau serve); its key and secret are no secrets.
[[provider]]
name = "{name}"
url = "{url}"
key = "{key}"
secret = "{secret}"
monthly_budget = "{budget}"
currency = "CNY"
failures_max = 5
rest_seconds = 30
"""
_PRODUCT = """
[[provider.product]]
code = "{code}"
price = "{price}"
charging = "found"
freshness_days = {days}
timeout_seconds = 2.0
retries = 2
identifier = "{identifier}"
spelling = "sha256"
nightly = {nightly}
"""
# The reports are dear: they are asked for one by one, not every night.
_NIGHTLY = {"sesame_score", "wechat_pay_score"}


def settings_text(url: str, *, key: str, secret: str, budget: str = "5000.00") -> str:
    """A whole ``providers.toml`` with the four products of the simulated bureau."""
    text = _PROVIDER.format(name=bureau.PROVIDER, url=url, key=key, secret=secret, budget=budget)
    for product in bureau.PRODUCTS.values():
        text += _PRODUCT.format(
            code=product.code,
            price=product.price,
            days=product.valid_days,
            identifier="phone" if product.code == "wechat_pay_score" else "national_id",
            nightly=str(product.code in _NIGHTLY).lower(),
        )
        if product.scale:
            text += f"scale = [{product.scale[0]}, {product.scale[1]}]\n"
    return text
