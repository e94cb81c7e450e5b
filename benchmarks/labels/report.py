"""Table of the wrong labels that were found."""

from __future__ import annotations

import pandas as pd

from benchmarks.labels.measure import SHARE_INSPECTED


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of the shares in %: one row per corpus and model."""
    means = results.groupby(["corpus", "model"], sort=False).mean(numeric_only=True)
    shares = 100 * means[["found", "suspects_flipped"]]
    names = {
        "found": f"found in the first {SHARE_INSPECTED:.0%}",
        "suspects_flipped": "flipped among suspects",
    }
    table = means[["rows"]].astype(int).join(shares.map("{:.1f}".format).rename(columns=names))
    return table.reset_index()
