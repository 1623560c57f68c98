"""Networks and sequences: trained with torch, served in whole numbers without it."""

from __future__ import annotations

import math
import subprocess
import sys

import msgspec
import numpy as np
import pytest

from shouxin.features.sequences import SequenceField, SequenceLayout
from shouxin.scoring import (
    Artefact,
    UnableToReadArtefact,
    UnableToScore,
    UnableToTrain,
    event_contributions,
    reasons,
    score_columns,
    score_one,
    train_columns,
)
from shouxin.scoring.domain.families.blob import Blob
from shouxin.scoring.domain.families.network import fixed
from shouxin.scoring.domain.metrics import auc

torch = pytest.importorskip("torch", reason="torch (the extra deep) is not installed")

# Days of calm and of trouble: what counts is whether the trouble came last.
LAYOUT = SequenceLayout(
    "sha256:test", (SequenceField("mood", 3), SequenceField("age", 4, letters=2, edges=(7, 30, 90))), 8
)
ROWS = 1500
QUICK = {"epochs": 15, "width": 16, "depth": 1, "rate": 1e-2}
QUICK_SEQUENCE = {**QUICK, "size": 8}


@pytest.fixture(scope="module")
def rows():
    """Columns and outcomes: a number, a number with gaps and a code, a category, and a sequence."""
    rng = np.random.default_rng(3)
    debt, income = rng.gamma(2.0, 1.0, ROWS), rng.lognormal(8, 0.5, ROWS)
    work = rng.choice(["none", "part", "full"], ROWS, p=(0.2, 0.3, 0.5)).astype(object)
    moods = [rng.integers(0, 3, rng.integers(0, 9)).tolist() for _ in range(ROWS)]
    last = np.array([mood[-1] if mood else 1 for mood in moods])
    logit = 0.7 * debt - 1.0 * (np.log(income) - 8) + 0.8 * (work == "none") + 1.5 * (last - 1) - 2.5
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    income[rng.random(ROWS) < 0.1] = np.nan
    income[rng.random(ROWS) < 0.05] = -9
    work[rng.random(ROWS) < 0.05] = None
    texts = [
        LAYOUT.text([(code, 3 * (len(mood) - place)) for place, code in enumerate(mood)]) for mood in moods
    ]
    sequence = np.array(texts, dtype=object)
    sequence[:20] = None
    return {"debt": debt, "income": income, "work": work, "recent": sequence}, y


def trained(rows, model, *, names=("debt", "income", "work", "recent"), **settings):
    columns, y = rows
    return train_columns(
        {name: columns[name] for name in names}, y, model=model, special=(-9,), layouts=(LAYOUT,),
        settings=settings, directions={"debt": 1},
    )  # fmt: skip


MODELS = {
    "dnn": QUICK,
    "tabm": {**QUICK, "members": 4},
    "robust_dnn": {**QUICK, "fixed": "income"},
    "gru": QUICK_SEQUENCE,
    "lstm": QUICK_SEQUENCE,
    "coles_gru": {**QUICK_SEQUENCE, "pretraining_epochs": 2},
    "fused": {**QUICK_SEQUENCE, "pretraining": "coles", "pretraining_epochs": 1, "bags": 1},
}


@pytest.fixture(scope="module", params=MODELS)
def model(request, rows):
    return trained(rows, request.param, **MODELS[request.param])


def test_it_learns_and_what_each_feature_did_adds_up(model, rows):
    columns, y = rows
    scored = score_columns(model.artefact, columns)
    assert auc(y, scored.log_odds) > 0.72
    total = scored.contributions.sum(axis=1) + scored.reference_log_odds
    assert (total == scored.log_odds).all()
    assert (scored.feature_points.sum(axis=1) + scored.reference_points == scored.points).all()
    assert abs(scored.pd.mean() - y.mean()) < 0.06
    share = np.abs(scored.contributions).mean(axis=0)
    told = dict(zip(model.artefact.names, share, strict=True))
    assert told["debt"] > 20_000
    if "recent" in told:
        assert told["recent"] > 20_000


def test_one_row_and_many_agree_to_the_last_digit(model, rows):
    columns, _ = rows
    artefact = Artefact.from_json(model.artefact.to_json())
    scored = score_columns(artefact, columns)
    for row in range(0, ROWS, 61):
        values = {name: columns[name][row] for name in artefact.names}
        one = score_one(artefact, values)
        assert (one.log_odds, one.points, one.pd) == (
            scored.log_odds[row],
            scored.points[row],
            scored.pd[row],
        )
        assert [item.log_odds for item in one.contributions] == scored.contributions[row].tolist()


def test_what_a_row_scores_does_not_depend_on_its_neighbours(model, rows):
    columns, _ = rows
    whole = score_columns(model.artefact, columns).log_odds
    part = score_columns(model.artefact, {name: values[700:703] for name, values in columns.items()}).log_odds
    assert (whole[700:703] == part).all()


def test_missing_unseen_and_wild_values_are_scored(model):
    for values in (
        {"debt": None, "income": None, "work": None, "recent": None},
        {"debt": float("inf"), "income": -9, "work": "astronaut", "recent": LAYOUT.text([])},
        {"debt": -1e300, "income": float("nan"), "work": "full", "recent": LAYOUT.text([(2, 4000)] * 8)},
    ):
        score = score_one(model.artefact, {name: values[name] for name in model.artefact.names})
        assert 0 < score.pd < 1
        for reason in reasons(model.artefact, score):
            assert reason.text.zh and reason.text.en


def test_the_slope_of_a_calibration_scales_every_score(model, rows):
    columns, _ = rows
    before = score_columns(model.artefact, columns)
    doubled = msgspec.structs.replace(model.artefact, body=model.artefact.body.scaled(2_000_000))
    after = score_columns(doubled, columns)
    moved = after.log_odds - model.artefact.intercept - 2 * (before.log_odds - model.artefact.intercept)
    assert np.abs(moved).max() <= 60  # roundings of as many tables


def test_whole_numbers_say_what_the_network_learnt(rows):
    """The network in fixed point against the same layers in real numbers."""
    artefact = trained(rows, "dnn", **QUICK).artefact
    columns, _ = rows
    scorer = artefact.scorer
    numbers = scorer._read(scorer.prepared([columns[name] for name in artefact.names])) / fixed.GRID
    for place, (weights, bias) in enumerate(scorer.layers):
        numbers = numbers @ (weights[0] / fixed.GRID) + bias[0, 0] / fixed.GRID**2
        if place + 1 < len(scorer.layers):
            numbers = np.maximum(numbers, 0)
    scored = score_columns(artefact, columns)
    assert np.abs(scored.log_odds / 1e6 - numbers[:, 0]).max() < 0.01


def test_no_entry_of_a_curve_could_be_rounded_differently_elsewhere():
    """A machine's tanh and exp are right to 1e-15; a step of the table is 1 / 4096."""
    grid = fixed.GRID
    tanh = [grid * math.tanh(step / grid) for step in range(1, 6 * grid + 1)]
    curve = [grid / (1 + math.exp(-step / grid)) for step in range(-12 * grid, 12 * grid + 1) if step]
    assert min(abs(abs(value % 1) - 0.5) for value in (*tanh, *curve)) > 1e-9


def test_a_sequence_is_read_in_its_order(rows):
    columns, y = rows
    artefact = trained(rows, "gru", names=("recent",), **QUICK_SEQUENCE).artefact
    ordered = score_columns(artefact, columns)
    turned = [
        None
        if value is None
        else LAYOUT.text([[a[0], b[1]] for a, b in zip(found[::-1], found, strict=True)])
        for value in columns["recent"]
        for found in [[] if value is None else LAYOUT.numbers(value)]
    ]
    reverse = score_columns(artefact, {"recent": np.array(turned, dtype=object)})
    assert auc(y, ordered.log_odds) > auc(y, reverse.log_odds) + 0.05


@pytest.mark.parametrize("name", ["gru", "fused"])
def test_what_each_event_did_adds_up_to_what_the_sequence_did(rows, name):
    artefact = trained(rows, name, **MODELS[name]).artefact
    values = {
        "debt": 2.0,
        "income": 3000.0,
        "work": "part",
        "recent": LAYOUT.text([(1, 90), (0, 20), (2, 1)]),
    }
    score = score_one(artefact, values)
    told = event_contributions(artefact, values)
    (whole,) = (item.log_odds for item in score.contributions if item.feature == "recent")
    assert [event.numbers for event in told.events] == [
        {"mood": 1, "age": 90}, {"mood": 0, "age": 20}, {"mood": 2, "age": 1},
    ]  # fmt: skip
    assert told.before_first + sum(event.log_odds for event in told.events) == told.whole
    assert told.whole == whole
    assert max(told.events, key=lambda event: event.log_odds).numbers["mood"] == 2


def test_a_model_without_a_sequence_tells_of_no_events(rows):
    artefact = trained(rows, "dnn", names=("debt", "income"), **QUICK).artefact
    assert event_contributions(artefact, {"debt": 1.0, "income": 100.0}) is None


def test_serving_needs_no_torch(rows, tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(trained(rows, "lstm", **QUICK_SEQUENCE).artefact.to_json())
    program = (
        "import sys; from shouxin.scoring import Artefact, score_one\n"
        "artefact = Artefact.from_json(open(sys.argv[1], 'rb').read())\n"
        "score_one(artefact, dict.fromkeys(artefact.names))\n"
        "assert not {'torch', 'sklearn', 'interpret', 'lightgbm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


def test_the_same_seed_gives_the_same_model(rows):
    first, again = (trained(rows, "coles_gru", **MODELS["coles_gru"]).artefact for _ in range(2))
    assert first.hash == again.hash


@pytest.mark.parametrize("loss", ["weighted", "focal"])
def test_every_loss_ends_in_probabilities(rows, loss):
    columns, y = rows
    found = trained(rows, "dnn", **QUICK, loss=loss)
    scored = score_columns(found.artefact, columns)
    assert abs(scored.pd.mean() - y.mean()) < 0.06
    assert any("fitted on the rows kept aside" in note for note in found.report["notes"])


def test_training_against_manipulation_makes_it_cost_more(rows):
    """What a bad customer gains by moving a number half a standard deviation, before and after."""
    columns, y = rows
    moved = {**columns, "debt": columns["debt"] * 0.75}
    gained = {}
    for name, more in (("dnn", {}), ("robust_dnn", {"reach": 0.5, "steps": 3})):
        artefact = trained(
            rows, name, names=("debt", "income", "work"), **{**QUICK, "epochs": 20}, **more
        ).artefact
        before, after = (score_columns(artefact, each).log_odds[y == 1] for each in (columns, moved))
        gained[name] = float((before - after).mean())
    assert gained["robust_dnn"] < gained["dnn"]


def test_models_that_read_no_sequences_say_so(rows):
    columns, y = rows
    report = train_columns(columns, y, model="scorecard", layouts=(LAYOUT,)).report
    assert {"name": "recent", "reason": "a sequence, which scorecard does not read"} in report["dropped"]


def test_what_can_not_be_trained_is_said(rows):
    columns, y = rows
    with pytest.raises(UnableToTrain, match="there is no column of sequences"):
        trained(rows, "gru", names=("debt",), **QUICK_SEQUENCE)
    with pytest.raises(UnableToTrain, match="layout that is not known here"):
        train_columns(columns, y, model="gru")
    twice = {**columns, "again": columns["recent"]}
    with pytest.raises(UnableToTrain, match="one sequence can be learnt from, not 2"):
        train_columns(twice, y, model="gru", layouts=(LAYOUT,))
    broken = {**columns, "recent": columns["recent"].copy()}
    broken["recent"][40] = LAYOUT.prefix + "A"
    with pytest.raises(UnableToTrain, match="3 letters an event"):
        train_columns(broken, y, model="gru", layouts=(LAYOUT,))


def test_a_sequence_of_another_layout_is_not_scored(rows):
    artefact = trained(rows, "gru", names=("recent",), **QUICK_SEQUENCE).artefact
    with pytest.raises(UnableToScore, match="another layout"):
        score_one(artefact, {"recent": "s1:0123456789ab:AAA"})
    with pytest.raises(UnableToScore, match="not a number"):
        score_one(artefact, {"recent": 5.0})
    with pytest.raises(UnableToScore, match="no sequence has"):
        score_one(artefact, {"recent": LAYOUT.prefix + "A!A"})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda body: body.update(orders=[[0, 0]]), "an order names every feature once"),
        (lambda body: body["layers"].pop(), "the last layer gives one number"),
        (lambda body: body["average"].update(shape=[3]), "not one number for each"),
        (lambda body: body["layers"][0]["bias"].update(data="####"), "not base64"),
        (lambda body: body["inputs"].pop(), "one input a feature"),
        (lambda body: body["inputs"][0].update(levels=[1]), "one level a knot"),
    ],
)
def test_a_broken_network_is_refused(rows, change, problem):
    artefact = trained(rows, "dnn", names=("debt", "income"), **QUICK).artefact
    document = msgspec.json.decode(artefact.to_json())
    change(document["body"])
    with pytest.raises(UnableToReadArtefact, match=problem):
        Artefact.from_json(msgspec.json.encode(document))


def test_a_blob_is_the_same_numbers_again():
    for array in (np.zeros((0, 3)), np.array([[1, -2], [32767, 3]]), np.array([2.0**40, -1])):
        blob = Blob.of(array)
        assert blob.problem is None
        assert (blob.array == array).all() and blob.array.shape == array.shape
    assert [Blob.of(np.array([n])).dtype for n in (5, 70_000, 2**40)] == ["<i2", "<i4", "<i8"]


def paired(rng, rows):
    """Moods 1 and 2 come in pairs, as often in everybody; which of the two comes first tells the outcome."""
    first = rng.random((rows, 4)) < rng.random((rows, 1))
    moods = np.where(first[:, :, None], [1, 2], [2, 1]).reshape(rows, 8)
    y = (rng.random(rows) < 1 / (1 + np.exp(-1.2 * (first.sum(axis=1) - 2) - 0.5))).astype(np.int64)
    return moods, y


def written(moods):
    return np.array(
        [LAYOUT.text([(int(code), 8 - place) for place, code in enumerate(mood)]) for mood in moods],
        dtype=object,
    )


def test_what_the_order_adds_is_found_and_goes_when_it_is_shuffled():
    rng = np.random.default_rng(5)
    moods, y = paired(rng, 3000)
    columns = {"debt": rng.gamma(2.0, 1.0, 3000) + 0.3 * y, "twos": (moods == 2).sum(axis=1).astype(float)}
    learnt, new = np.arange(3000) < 2000, np.arange(3000) >= 2000
    found = {}
    for name, told in (("ordered", moods), ("shuffled", rng.permuted(moods, axis=1))):
        given = {**columns, "recent": written(told)}
        artefact = train_columns(
            {each: values[learnt] for each, values in given.items()}, y[learnt], model="fused",
            layouts=(LAYOUT,), settings={**QUICK_SEQUENCE, "epochs": 25, "bags": 1},
        ).artefact  # fmt: skip
        scored = score_columns(artefact, {each: values[new] for each, values in given.items()})
        found[name] = auc(y[new], scored.log_odds)
    assert found["ordered"] > found["shuffled"] + 0.1


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_both_ways_of_standing_for_a_sequence_are_served_as_learnt(rows, pooling):
    """What torch says and what is served differ by no more than the fixed point rounds."""
    from shouxin.scoring.training.deep.modules import Recurrent

    columns, _ = rows
    torch.manual_seed(1)
    encoder = Recurrent(LAYOUT, cell="gru", size=4, dropout=0.0, pooling=pooling).eval()
    texts = [text for text in columns["recent"][:60] if text is not None]
    codes, counts = LAYOUT.codes(texts)
    places = (np.arange(8)[None, :] + 8 - counts[:, None]) % 8
    forward = np.take_along_axis(codes, places[:, :, None], axis=1).astype(np.int64)
    with torch.no_grad():
        wanted = encoder(torch.from_numpy(forward), torch.from_numpy(counts)).numpy()
    reader = encoder.written().ready()
    assert np.abs(reader.embedded(texts) / fixed.GRID - wanted).max() < 0.01
    assert (reader.prefixes(texts[0])[-1] == reader.embedded(texts[:1])[0]).all()
