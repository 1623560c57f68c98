"""Learn how Chinese reviews sound from files whose verdict is known, and say how often that is right.

    python scripts/learn_sentiment.py waimai_10k.csv online_shopping_8_categories.csv.xz

Each file has the columns ``label`` (1 good, 0 bad) and ``review``. Four texts in five, by a hash of the
text, are learnt from, the fifth is what is measured on. Every file and verdict weighs the same. An L1 penalty
leaves few characters and pairs of them; their weights, in thousandths of a logit, go to the table that the
door reads.
"""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from shouxin.ingestion.domain import sentiment

TABLE = Path(sentiment.__file__).with_name("sentiment_weights.json")
FOLDS = 5
SEEN_MIN = 20
STRENGTH = 0.1


def main(paths: list[Path]) -> None:
    texts = read(paths)
    held_out = is_held_out(texts)
    learnt = learn(texts[~held_out])
    TABLE.write_text(
        json.dumps(learnt, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8"
    )
    print(f"{len(learnt['weights'])} weights, {TABLE.stat().st_size / 1024:.1f} KB")
    sentiment._learnt.cache_clear()
    for name, accuracy, rows in measured(texts[held_out]):
        print(f"{name}: balanced accuracy {accuracy:.4f} on {rows} held-out texts")


def read(paths: list[Path]) -> pd.DataFrame:
    """``label, review, file`` of all files; of equal texts the first."""
    tables = [pd.read_csv(path)[["label", "review"]].assign(file=path.name) for path in paths]
    return pd.concat(tables).dropna().drop_duplicates("review").reset_index(drop=True)


def is_held_out(texts: pd.DataFrame) -> np.ndarray:
    """Whether each text is one of the fifth that nothing is learnt from."""
    return np.array([int(sha256(text.encode()).hexdigest()[:8], 16) % FOLDS == 0 for text in texts["review"]])


def learn(texts: pd.DataFrame) -> dict[str, object]:
    """Bias and weights."""
    counter = CountVectorizer(analyzer=lambda text: sentiment.grams(text.lower()), min_df=SEEN_MIN)
    seen = counter.fit_transform(texts["review"])
    groups = texts.groupby(["file", "label"])
    alike = len(texts) / groups.ngroups / groups["review"].transform("size")
    model = LogisticRegression(l1_ratio=1, C=STRENGTH, solver="liblinear", random_state=0)
    model.fit(seen, texts["label"], sample_weight=alike)
    whole = np.round(model.coef_[0] * 1000).astype(int).tolist()
    weights = {
        gram: weight for gram, weight in zip(counter.get_feature_names_out(), whole, strict=True) if weight
    }
    return {"bias": round(float(model.intercept_[0]) * 1000), "weights": weights}


def measured(texts: pd.DataFrame) -> list[tuple[str, float, int]]:
    """File, balanced accuracy of the sign, number of texts; one without any known word counts as bad."""
    said = texts.assign(good=[(sentiment.sentiment_of(text) or 0) > 0 for text in texts["review"]])
    return [
        (str(name), balanced_accuracy_score(part["label"], part["good"]), len(part))
        for name, part in said.groupby("file")
    ]


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
