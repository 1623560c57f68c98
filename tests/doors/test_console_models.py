"""The pages of models through the console's door."""

import json

from doors.console_client import signed_in
from shouxin import scoring


def champion_of(world):
    with world.house.database.begin() as db:
        return scoring.champion(db)


def registered(world, now):
    """A second model, a candidate."""
    import msgspec

    other = msgspec.structs.replace(champion_of(world), intercept=-2_900_000)
    with world.house.database.begin() as db:
        return scoring.register(db, other, name="second", report={}, now=now)


def test_the_list_says_where_each_model_stands(browser, world, clock, now):
    registered(world, now)
    signed_in(browser, world, clock, "liwei")
    text = browser.get("/models").text
    assert champion_of(world).hash in text
    assert "现任" in text and "候选" in text


def test_the_document_has_every_section_and_can_be_taken_away(browser, world, clock):
    signed_in(browser, world, clock, "liwei")
    address = f"/models/{champion_of(world).hash}"
    text = browser.get(address).text
    for code in ("purpose", "data", "features", "performance", "fairness", "monitoring", "sign_off"):
        assert f'id="{code}"' in text
    assert "近 90 天逾期" in text and "reports were read" in text and "liwei" in text
    file = browser.get(f"{address}/document")
    assert "attachment" in file.headers["content-disposition"]
    assert "Validation findings and sign-off log" in file.text and "验证结论与签署记录" in file.text
    assert "<script" not in file.text and "http" not in file.text.split("</style>")[1]
    assert browser.get("/models/sha256:" + "0" * 64).status_code == 404


def test_an_analyst_makes_a_candidate_challenger_and_withdraws_it(browser, world, clock, now):
    model_hash = registered(world, now)
    signed_in(browser, world, clock, "liwei")
    address = f"/models/{model_hash}"
    browser.get(address)
    done = browser.post(f"{address}/challenge", {"reason": "better on the newest months"})
    assert "已设为挑战者" in browser.get(done.headers["location"]).text
    with world.house.database.begin() as db:
        assert [model.hash for model in scoring.challengers(db)] == [model_hash]
        (step,) = [s for s in scoring.stages_of(db, model_hash) if s.stage == "challenger"]
    assert step.reason == "better on the newest months"
    browser.post(f"{address}/withdraw", {"reason": "no better after all"})
    with world.house.database.begin() as db:
        assert scoring.challengers(db) == []


def test_a_move_without_a_reason_is_refused(browser, world, clock, now):
    model_hash = registered(world, now)
    signed_in(browser, world, clock, "liwei")
    browser.get(f"/models/{model_hash}")
    assert browser.post(f"/models/{model_hash}/challenge", {"reason": " "}).status_code == 422
    with world.house.database.begin() as db:
        assert scoring.challengers(db) == []


def test_the_bench_table_shows_what_was_measured(browser, world, clock):
    signed_in(browser, world, clock, "liwei")
    assert "shouxin bench models" in browser.get("/models/bench").text
    folder = world.house.home.path / "bench"
    folder.mkdir()
    row = {
        "name": "ebm",
        "tier": "glass box",
        "auc": {"value": 0.7861, "low": 0.779, "high": 0.793},
        "seconds": 12.5,
    }
    (folder / "models-taiwan.json").write_text(json.dumps({"set": "taiwan", "models": [row]}))
    (folder / "models-broken.json").write_text("{")
    text = browser.get("/models/bench").text
    assert "taiwan" in text and "0.7861 (0.7790 … 0.7930)" in text and "12.5" in text
