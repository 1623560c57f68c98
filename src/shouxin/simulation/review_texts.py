"""What people write in a review: a sentence about the goods by the stars, and one about the delivery.

All sentences are our own; some hold no word of praise or blame, as people's do. Most are Chinese.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from shouxin.simulation.domain import Flags, Ints

_WRITES_TEXT = 0.6  # of those who give stars
_ENGLISH = 0.10
_SPEAKS_OF_DELIVERY = 0.4

# By stars, from one to five.
_GOODS = (
    (
        "质量太差了，用了两天就坏",
        "和描述完全不一样，很失望",
        "做工粗糙，味道刺鼻",
        "明显是次品，要求退货",
    ),
    ("不太满意，细节很差", "比想象中差，不值这个价", "有瑕疵，懒得退了", "颜色和图片不符，不推荐"),
    ("一般般吧，能用", "中规中矩，没有惊喜", "还可以，价格略贵", "凑合，给家里老人用"),
    ("不错，和描述一致", "质量挺好，就是包装简单", "满意，会再来看看", "东西好用，价格合适"),
    ("非常喜欢，质量很好", "超出预期，推荐给朋友了", "第二次买了，一如既往的好", "很满意，家人都说好"),
)
_GOODS_ENGLISH = (
    ("Broken after two days, terrible quality", "Not as described, very disappointed"),
    ("Poor finish, not worth the money", "Smells bad, would not recommend"),
    ("It is what it is", "Fine for the price, slightly small"),
    ("Good value, works well", "Nice, as described"),
    ("Excellent, exactly what I wanted", "Love it, great quality"),
)
# In time, late.
_DELIVERY = (
    ("，送货很快", "，物流给力", "，快递员态度好", "，包装完好"),
    ("，物流太慢了", "，等了好多天", "，送货拖延还没人解释", "，催了几次才到"),
)
_DELIVERY_ENGLISH = ((", fast delivery", ", arrived in time"), (", but it came late", ", slow delivery"))


def review_texts(rng: Generator, stars: Ints, *, late: Flags) -> tuple[Any, Flags]:
    """The text of each review, and which reviews have one."""
    size = len(stars)
    writes = rng.random(size) < _WRITES_TEXT
    english = rng.random(size) < _ENGLISH
    goods, delivery = (np.asarray(rng.random(size)) for _ in range(2))
    speaks = rng.random(size) < _SPEAKS_OF_DELIVERY
    about_goods = np.where(
        english, _picked(_GOODS_ENGLISH, stars - 1, goods), _picked(_GOODS, stars - 1, goods)
    )
    rows = late.astype(np.int64)
    about_delivery = np.where(
        english, _picked(_DELIVERY_ENGLISH, rows, delivery), _picked(_DELIVERY, rows, delivery)
    )
    texts = np.where(speaks, np.strings.add(about_goods, about_delivery), about_goods)
    return pa.array(texts.tolist(), pa.string()), np.asarray(writes)


def _picked(sentences: tuple[tuple[str, ...], ...], row: Ints, chance: Any) -> Any:
    """One of the sentences of each row."""
    table = np.array(sentences)
    return table[row, (chance * table.shape[1]).astype(np.int64)]
