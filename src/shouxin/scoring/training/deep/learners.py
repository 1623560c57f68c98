"""The learners that need torch. Their names and settings are known without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from shouxin.kernel import Bilingual
from shouxin.scoring.training.learners import Fitted, Learner, Setting, Task

_TOOLS = ("shouxin", "numpy", "torch")
_COURSE: Mapping[str, Sequence[Setting]] = {
    "loss": ("bce", "weighted", "focal"),
    "rate": (2e-3, 5e-4, 5e-3),
    "decay": (1e-3, 1e-2, 1e-5),
    "epochs": (40, 20, 80),
    "patience": (5, 10),
}
_HEAD: Mapping[str, Sequence[Setting]] = {
    "width": (64, 32, 128),
    "depth": (2, 1, 3),
    "activation": ("relu", "leaky_relu", "tanh"),
    "dropout": (0.1, 0.0, 0.3),
}
_NORM: Mapping[str, Sequence[Setting]] = {"norm": ("batch", "none")}
# Beside what an encoder says a small head is enough.
_SMALL_HEAD: Mapping[str, Sequence[Setting]] = {
    **_HEAD, "width": (32, 64), "depth": (1, 2), "norm": ("none", "batch"),
}  # fmt: skip
_ENCODER: Mapping[str, Sequence[Setting]] = {
    "size": (24, 16, 48), "epochs": (15, 30), "patience": (3, 5), "pooling": ("last", "mean"),
}  # fmt: skip
# A habit shows in many events and little in each: the mean of the states keeps what the last one forgets.
_ADDED_UP: Mapping[str, Sequence[Setting]] = {"pooling": ("mean", "last"), "rate": (4e-3, 2e-3, 1e-3)}
_ALL_TYPES = frozenset({"numeric", "category", "sequence"})


def _network(task: Task) -> Fitted:
    from shouxin.scoring.training.deep.fitting import fit_network

    return fit_network(task)


def _fused(task: Task) -> Fitted:
    from shouxin.scoring.training.deep.fusing import fit_fused

    return fit_fused(task)


def _columns(name: str, meaning: Bilingual, space: Mapping[str, Sequence[Setting]]) -> Learner:
    """A learner of columns."""
    return Learner(
        name, meaning, _network, _TOOLS, {**_HEAD, **_COURSE, **space}, extra="deep", stops_itself=True
    )


def _sequences(
    name: str,
    meaning: Bilingual,
    space: Mapping[str, Sequence[Setting]],
    *,
    fit: Callable[[Task], Fitted] = _network,
    tools: tuple[str, ...] = _TOOLS,
) -> Learner:
    """A learner of columns and a sequence."""
    whole = {**_SMALL_HEAD, **_COURSE, **_ENCODER, **space}
    return Learner(name, meaning, fit, tools, whole, extra="deep", stops_itself=True, reads=_ALL_TYPES)


DEEP_LEARNERS: tuple[Learner, ...] = (
    _columns("dnn", Bilingual("深度神经网络", "Deep network"), _NORM),
    _columns(
        "tabm", Bilingual("参数共享的网络集成", "Ensemble of networks that share weights"),
        {"members": (8, 16, 4)},
    ),
    _columns(
        "robust_dnn", Bilingual("对抗训练的深度网络", "Deep network trained against manipulation"),
        {**_NORM, "reach": (0.25, 0.1, 0.5), "steps": (3, 1, 7), "fixed": ("",)},
    ),
    _sequences("lstm", Bilingual("LSTM 序列模型", "LSTM over recent behaviour"), {"cell": ("lstm",)}),
    _sequences("gru", Bilingual("GRU 序列模型", "GRU over recent behaviour"), {"cell": ("gru",)}),
    _sequences(
        "coles_gru", Bilingual("对比预训练的 GRU", "GRU pre-trained by contrast"),
        {"cell": ("gru",), "pretraining": ("coles",), "pretraining_epochs": (5, 10)},
    ),
    _sequences(
        "fused", Bilingual("近期行为与可解释提升模型融合", "Explainable boosting over columns and behaviour"),
        {"cell": ("gru", "lstm"), "pretraining": ("none", "coles"), "pretraining_epochs": (5, 10),
         "bags": (4, 1, 8), **_ADDED_UP},
        fit=_fused, tools=(*_TOOLS, "lightgbm"),
    ),
)  # fmt: skip
