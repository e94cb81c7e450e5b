"""Test of the command that measures predictions on engines, with a worker of Dask."""

import pandas as pd
import pytest

from benchmarks.scoring.__main__ import main
from sk_ctxmem.datasets import make_conversations

pytest.importorskip("dask.dataframe")
pytest.importorskip("distributed")


def test_a_worker_of_dask_is_measured(tmp_path):
    """Check that the right number of rows is predicted, and that the memory is a worker's."""
    frame = make_conversations(40, random_state=0).frame.rename(columns={"target": "label"})
    frame.to_csv(tmp_path / "calls.csv", index=False)
    files = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path / "out")]
    assert main([*files, "--rows", "2000", "--engines", "dask", "--workers", "1"]) == 0
    table = pd.read_csv(tmp_path / "out" / "scoring.csv")
    assert table["engine"].tolist() == ["one process", "dask"] * 2
    assert table["error"].isna().all()
    assert table["worker_mb"].between(50, 5000).all()
