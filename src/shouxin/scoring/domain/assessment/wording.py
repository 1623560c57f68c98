"""The names of figures for people."""

from __future__ import annotations

from collections.abc import Mapping

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.assessment.performance import CAPTURED

ASSESSMENT_WORDS: Mapping[str, Bilingual] = {
    "auc": Bilingual("AUC", "AUC"),
    "ks": Bilingual("KS", "KS"),
    "gini": Bilingual("基尼系数", "Gini"),
    "average_precision": Bilingual("平均精确率", "Average precision"),
    **{
        f"capture_{share}": Bilingual(f"最高{share}%的捕获率", f"Caught in the riskiest {share} %")
        for share in CAPTURED
    },
    **{
        f"lift_{share}": Bilingual(f"最高{share}%的提升", f"Lift of the riskiest {share} %")
        for share in CAPTURED
    },
    "accuracy": Bilingual("准确率", "Accuracy"),
    "precision": Bilingual("精确率", "Precision"),
    "recall": Bilingual("召回率", "Recall"),
    "f1": Bilingual("F1", "F1"),
    "approved": Bilingual("通过率", "Approved"),
    "approved_event_rate": Bilingual("通过者的违约率", "Event rate of the approved"),
    "brier": Bilingual("Brier分数", "Brier score"),
    "reliability": Bilingual("可靠性", "Reliability"),
    "resolution": Bilingual("分辨力", "Resolution"),
    "uncertainty": Bilingual("不确定性", "Uncertainty"),
    "within_bins": Bilingual("分箱内残差", "Within bins"),
    "log_loss": Bilingual("对数损失", "Log loss"),
    "slope": Bilingual("校准斜率", "Calibration slope"),
    "calibration_in_the_large": Bilingual("整体校准截距", "Calibration in the large"),
    "observed_over_expected": Bilingual("实际与预测之比", "Observed over expected"),
    "ece": Bilingual("期望校准误差", "Expected calibration error"),
}
