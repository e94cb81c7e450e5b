"""Predictions of a folder of Parquet files on each engine, counted by class.

Each function starts its engine in the current process, which should be a fresh one.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from sk_ctxmem import ContextMemoryClassifier, whole_groups
from sk_ctxmem.distributed import FramePredictor, predict_dask, predict_spark

ROWS_OF_A_BUCKET = 10_000  # rows that Ray predicts together
ROWS_OF_A_SLICE = 10_000  # rows that one process predicts together
ROOT = Path(__file__).parents[2]

Counts = dict[Any, int]


def parts_of(folder: Path) -> list[list[Path]]:
    """Return lists of files that together hold all rows of their conversations."""
    parts: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.parquet")):
        parts.setdefault(path.stem.partition("-")[0], []).append(path)
    return list(parts.values())


def count_predictions(predicted: pd.Series) -> Counts:
    """Return the number of rows of each class."""
    return Counter(predicted.tolist())


def run_one(model: Path, folder: Path, n_workers: int, n_rows: int) -> tuple[Counts, float]:
    """Predict in this process, one list of files after the other."""
    start = perf_counter()
    clf = ContextMemoryClassifier.load(model)
    counts: Counter[Any] = Counter()
    for paths in parts_of(folder):
        rows = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
        rows = rows.sort_values(["group", "order"])
        firsts = range(0, len(rows), ROWS_OF_A_SLICE)
        slices = (rows[first : first + ROWS_OF_A_SLICE] for first in firsts)
        for chunk in whole_groups(slices, "group"):
            probabilities = clf.predict_proba(chunk)
            counts.update(clf.classes_[probabilities.argmax(axis=1)].tolist())
    return counts, perf_counter() - start


def run_dask(model: Path, folder: Path, n_workers: int, n_rows: int) -> tuple[Counts, float]:
    """Predict on worker processes of Dask."""
    import dask.dataframe
    from distributed import Client, LocalCluster

    clf = ContextMemoryClassifier.load(model)
    options = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    with temporary_folder(folder) as local:
        with LocalCluster(**options, local_directory=local) as cluster, Client(cluster):
            start = perf_counter()
            rows = dask.dataframe.read_parquet(folder)
            counts = predict_dask(clf, rows)["prediction"].value_counts().compute()
            return dict(counts), perf_counter() - start


def run_spark(model: Path, folder: Path, n_workers: int, n_rows: int) -> tuple[Counts, float]:
    """Predict on Python workers of a local session of Spark."""
    from pyspark.sql import SparkSession

    clf = ContextMemoryClassifier.load(model)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(ROOT)  # of the workers
    builder = SparkSession.builder.master(f"local[{n_workers}]")
    with temporary_folder(folder) as local:
        settings = {"spark.ui.enabled": "false", "spark.driver.memory": "3g"}
        for name, value in (settings | {"spark.local.dir": local}).items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        start = perf_counter()
        predictions = predict_spark(clf, spark.read.parquet(str(folder)))
        counts = predictions.groupBy("prediction").count().collect()
        seconds = perf_counter() - start
        spark.stop()
    return {row["prediction"]: row["count"] for row in counts}, seconds


def run_ray(model: Path, folder: Path, n_workers: int, n_rows: int) -> tuple[Counts, float]:
    """Predict with Ray Data, as described in the user guide."""
    import ray

    clf = ContextMemoryClassifier.load(model)
    n_buckets = max(n_workers, n_rows // ROWS_OF_A_BUCKET)
    environment = {"env_vars": {"PYTHONPATH": str(ROOT)}}
    ray.init(
        num_cpus=n_workers,
        include_dashboard=False,
        logging_level="ERROR",
        log_to_driver=False,
        runtime_env=environment,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    start = perf_counter()
    predictor = ray.put(FramePredictor(clf))

    def add_bucket(frame: pd.DataFrame) -> pd.DataFrame:
        buckets = pd.util.hash_array(frame["group"].to_numpy(dtype=object)) % n_buckets
        return frame.assign(bucket=buckets.astype("int64"))

    def count(frame: pd.DataFrame) -> pd.DataFrame:
        return ray.get(predictor)(frame)["prediction"].value_counts().reset_index()

    buckets = ray.data.read_parquet(str(folder)).map_batches(add_bucket, batch_format="pandas")
    counted = buckets.groupby("bucket").map_groups(count, batch_format="pandas").to_pandas()
    counts = counted.groupby("prediction")["count"].sum()
    seconds = perf_counter() - start
    ray.shutdown()
    return {str(name): int(value) for name, value in counts.items()}, seconds


@contextmanager
def temporary_folder(beside: Path) -> Iterator[str]:
    """Make a folder for the temporary files of an engine, on the disk of the data."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(dir=beside.parent, ignore_cleanup_errors=True) as folder:
        yield folder


ENGINES: dict[str, Callable[[Path, Path, int, int], tuple[Counts, float]]] = {
    "one process": run_one,
    "dask": run_dask,
    "spark": run_spark,
    "ray": run_ray,
}
