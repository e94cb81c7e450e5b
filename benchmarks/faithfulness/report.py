"""Table of the faithfulness of explanations."""

from __future__ import annotations

import pandas as pd


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error in points of probability: one row per corpus, part and order."""
    by = ["corpus", "what", "order"]
    columns = ["comprehensiveness", "sufficiency", "area"]
    grouped = (100 * results.set_index(by)[columns]).groupby(by, sort=False)
    shown = grouped.mean().map("{:.1f}".format) + grouped.sem().map(" ± {:.1f}".format)
    return shown.reset_index()
