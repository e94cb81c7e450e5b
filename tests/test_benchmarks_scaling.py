"""Tests of the model that predicts fits in many processes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.scaling import measure, model, report
from benchmarks.scaling.__main__ import main

ROOT = Path(__file__).parents[1]
NETWORK = model.Network(latency=1e-4, bandwidth=1e9)
STEPS = model.StepModel(0.01, 4e-5, 1e-5, row_bytes=1000, rows_per_second=20_000)


def make_measured():
    """Return what would be measured if the model were the truth."""
    steps = pd.DataFrame(
        [
            {
                "kind": "step",
                "n_processes": n,
                "batch_size": size,
                "rows": 100_000,
                "seconds": STEPS.step(size, n, NETWORK) + slower,
                "input_seconds": 5 + slower,
            }
            for size in (384, 768, 1536)
            for n in (1, 2)
            for slower in (0, 0.5)
        ]
    )
    sizes = 2.0 ** np.arange(11, 25, 2)
    seconds = NETWORK.latency + sizes / 2 / NETWORK.bandwidth
    messages = pd.DataFrame({"kind": "message", "bytes": sizes, "seconds": seconds})
    return pd.concat([steps, messages, pd.DataFrame([{"kind": "row", "bytes": 1000.0}])])


def test_the_numbers_of_the_model_are_found():
    """Check that least squares find what the numbers were made of, from the fastest of each."""
    steps, found, network = report.find_model(make_measured())
    assert len(steps) == 6
    assert network.latency == pytest.approx(1e-4, rel=1e-6)
    assert network.bandwidth == pytest.approx(1e9, rel=1e-6)
    parts = (found.fixed, found.own, found.shared, found.rows_per_second)
    assert parts == pytest.approx((0.01, 4e-5, 1e-5, 20_000), rel=1e-6)


def test_exchange_counts_what_others_send():
    """Check one process, two, and the limit of many, by hand."""
    assert NETWORK.exchange(1000, 1, 1000) == 0
    dense = model.DENSE_BYTES
    by_hand = 3e-4 + 1e6 / 2 / 1e9 + 2e-4 + dense / 1e9
    assert NETWORK.exchange(1000, 2, 1000) == pytest.approx(by_hand)
    many = NETWORK.exchange(1000, 1024, 1000)
    assert many == pytest.approx(3e-4 + 1e6 / 1e9 + 20e-4 + 2 * dense / 1e9, rel=0.01)


def test_predictions_add_up_and_name_what_is_largest():
    """Check hours, shares and the first bottleneck of a fit by hand."""
    table = model.predict_fit(STEPS, NETWORK, 10**6, {1: 384, 8: 384}, n_epochs=2, n_readers=1)
    n_steps = 2 * 10**6 / 384
    seconds = n_steps * STEPS.compute(384, 1) + 10**6 / 20_000
    assert table["hours"][0] == pytest.approx(seconds / 3600)
    shares = table[["own rows", "fixed part of a step", "rows of all", "exchange", "input"]]
    assert np.allclose(shares.sum(axis=1), 1)
    assert table["largest part"].tolist() == ["own rows", "fixed part of a step"]
    assert table["times faster"][1] == pytest.approx(table["hours"][0] / table["hours"][1])


def test_reading_is_shared_where_each_process_has_files_of_its_own():
    """Check the time of the input."""
    alone = model.predict_fit(STEPS, NETWORK, 10**6, {8: 384}, n_epochs=1, n_readers=1)
    shared = model.predict_fit(STEPS, NETWORK, 10**6, {8: 384}, n_epochs=1, n_readers=None)
    saved = 7 / 8 * 10**6 / 20_000
    assert (alone["hours"] - shared["hours"])[0] * 3600 == pytest.approx(saved)


def test_the_report_has_all_tables(tmp_path, capsys):
    """Check the command that prints what was measured before, and an error without it."""
    fits = [
        {"kind": "fit", "n_processes": n, "batch_size": 384, "seed": seed, "accuracy": 0.7 + seed}
        for n in (1, 2)
        for seed in (0, 0.01)
    ]
    measured = pd.concat([make_measured(), pd.DataFrame(fits)])
    measure.keep_with_others(tmp_path / "scaling.csv", measured)
    assert main(["--report", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "a step takes 10.0 ms, and 40.0 us for each row of its own" in printed
    assert "384  70.5" in printed
    assert "fixed part of a step" in printed
    with pytest.raises(SystemExit, match="2"):
        main(["--report", "--output", str(tmp_path / "nothing")])


def test_what_is_measured_anew_takes_the_place_of_its_kind(tmp_path):
    """Check that other kinds stay."""
    path = tmp_path / "scaling.csv"
    measure.keep_with_others(path, pd.DataFrame({"kind": ["step", "fit"], "seconds": [1.0, 2.0]}))
    measure.keep_with_others(path, pd.DataFrame({"kind": ["step"], "seconds": [3.0]}))
    kept = pd.read_csv(path).set_index("kind")["seconds"].to_dict()
    assert kept == {"fit": 2.0, "step": 3.0}


def test_the_page_shows_what_the_command_prints():
    """Check that each line of the report on the committed measurements stands in the docs."""
    folder = ROOT / "benchmarks" / "results"
    measured, scored = (pd.read_csv(folder / f"{name}.csv") for name in ("scaling", "scoring"))
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    shown = {line.strip() for line in page.splitlines()}
    assert {line.strip() for line in report.report(measured, scored).splitlines()} <= shown
