"""Tuning: the same number of trials for every learner, each written down, and none done twice."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from shouxin.scoring import Table, UnableToTrain, learners, train, train_columns
from shouxin.scoring.training.learners import Task
from shouxin.scoring.training.preparation import variables
from shouxin.scoring.training.tuning import Journal, drawn, raced, task_name


def shop(rows: int = 900):
    rng = np.random.default_rng(6)
    late, noise = rng.poisson(0.8, rows).astype(float), rng.normal(size=rows)
    y = (rng.random(rows) < 1 / (1 + np.exp(1.2 - late))).astype(np.int64)
    return {"late": late, "noise": noise}, y


def task(**more) -> Task:
    columns, y = shop()
    return Task(variables(columns)[0], y, 7, {}, **more)


def test_the_defaults_are_tried_first_and_no_settings_twice():
    learner = learners()["decision_tree"]
    tried = drawn(learner, trials=9, seed=1)
    assert tried[0] == learner.defaults
    assert len({json.dumps(settings) for settings in tried}) == 9
    assert all(settings[name] in learner.space[name] for settings in tried for name in settings)
    everything = drawn(learner, trials=10_000, seed=1)
    assert len(everything) == np.prod([len(values) for values in learner.space.values()])


def test_the_race_asks_all_once_and_the_better_third_again(tmp_path):
    learner = learners()["decision_tree"]
    tuned = raced(learner, task(), trials=6, journal=Journal(None, task="t"), advance=lambda *_: None)
    first = [trial for trial in tuned.trials if trial.fold == 0]
    assert len(first) == 6
    again = {json.dumps(t.settings) for t in tuned.trials if t.fold > 0}
    best = sorted(first, key=lambda t: -t.auc)[:2]
    assert again == {json.dumps(t.settings) for t in (first[0], *best)}
    means = {key: np.mean([t.auc for t in tuned.trials if json.dumps(t.settings) == key]) for key in again}
    assert means[json.dumps(tuned.settings)] == max(means.values())


def test_an_interrupted_search_goes_on_and_ends_the_same(tmp_path):
    learner, own = learners()["decision_tree"], task()
    name = task_name(own, learner=learner.name)
    whole = raced(learner, own, trials=5, journal=Journal(None, task=name), advance=lambda *_: None)
    fits = []

    def counted(asked):
        fits.append(asked.settings)
        if len(fits) == 4:
            raise KeyboardInterrupt
        return learner.fit(asked)

    path = tmp_path / "trials.jsonl"
    watched = replace(learner, fit=counted)
    with pytest.raises(KeyboardInterrupt):
        raced(watched, own, trials=5, journal=Journal(path, task=name), advance=lambda *_: None)
    assert len(path.read_text().splitlines()) == 3
    with path.open("a") as file:
        file.write('{"task": "cut in the mid')
    rest = raced(watched, own, trials=5, journal=Journal(path, task=name), advance=lambda *_: None)
    assert rest.settings == whole.settings
    assert [t.auc for t in rest.trials] == pytest.approx([t.auc for t in whole.trials], abs=1e-6)
    assert len(fits) - 1 == len(whole.trials)  # one was interrupted, the first three were not done again


def test_a_journal_of_other_rows_is_not_taken_for_ours(tmp_path):
    own = task()
    other = replace(own, y=1 - own.y)
    assert task_name(own, learner="a") != task_name(other, learner="a")
    assert task_name(own, learner="a") != task_name(own, learner="b")


def test_a_trial_that_fails_is_written_down_and_loses():
    learner = learners()["decision_tree"]

    def fragile(asked):
        if asked.settings["depth"] != 5:
            raise UnableToTrain("too deep")
        return learner.fit(asked)

    tuned = raced(
        replace(learner, fit=fragile),
        task(),
        trials=12,
        journal=Journal(None, task="t"),
        advance=lambda *_: None,
    )
    assert any(trial.error == "too deep" and trial.auc is None for trial in tuned.trials)
    assert tuned.settings["depth"] == 5


def test_rows_of_one_customer_are_never_on_both_sides():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 150, 900)
    learner, seen = learners()["decision_tree"], []

    def watched(asked):
        seen.append(set(asked.groups.tolist()))
        return learner.fit(asked)

    raced(
        replace(learner, fit=watched), task(groups=groups), trials=1, journal=Journal(None, task="t"),
        advance=lambda *_: None,
    )  # fmt: skip
    assert len(seen) == 3 and set.intersection(*seen) == set()
    assert set.union(*seen) == set(groups.tolist())


def test_training_tells_every_trial_and_keeps_what_was_asked_for(tmp_path):
    columns, y = shop()
    table = Table({**columns, "bad": y.astype(float)})
    path = tmp_path / "trials.jsonl"
    trained = train(table, target="bad", model="decision_tree", trials=4, settings={"depth": 4}, journal=path)
    told = trained.report["tuning"]
    assert trained.report["settings"] == told["settings"]
    assert all(trial["settings"]["depth"] == 4 for trial in told["trials"])
    assert len(path.read_text().splitlines()) == len(told["trials"])
    assert train_columns(columns, y, model="decision_tree").report["tuning"] is None
