"""Tests of the recipe for Ray Data in docs/user_guide/scoring_on_clusters.rst."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.distributed import FramePredictor

ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")

# Ray 2.60 reads options of its own that it does not like any more.
pytestmark = pytest.mark.filterwarnings("ignore:.use_.+ is deprecated:DeprecationWarning")
TALKS = make_conversations(60, random_state=0)
ROWS = TALKS.data.assign(number=range(len(TALKS.data))).sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start Ray with two cores, and end it."""
    path = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        logging_level="ERROR",
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(path)}},  # what is tested here
    )
    context = ray.data.DataContext.get_current()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context, "enable_progress_bars", False)
        patch.setattr(context, "default_hash_shuffle_parallelism", 4)
        yield
    ray.shutdown()


@pytest.mark.usefixtures("cluster")
def test_the_recipe_says_what_one_machine_says():
    """Check conversations that are spread over blocks, several of them in one call."""
    clf = ContextMemoryClassifier(
        text_column="text",
        group_column="group",
        max_epochs=1,
        hidden_size=8,
        random_state=0,
    ).fit(TALKS.data, TALKS.target)
    predictor = ray.put(FramePredictor(clf, order_column="order"))

    def add_bucket(frame):
        buckets = pd.util.hash_array(frame["group"].to_numpy(dtype=object)) % 5
        return frame.assign(bucket=buckets.astype("int64"))

    def predict(frame):
        return ray.get(predictor)(frame)

    dataset = ray.data.from_pandas(ROWS).repartition(6)
    buckets = dataset.map_batches(add_bucket, batch_format="pandas").groupby("bucket")
    predictions = buckets.map_groups(predict, batch_format="pandas")
    found = pd.DataFrame(predictions.take_all()).sort_values("number")
    probabilities = found.filter(like="probability_").to_numpy()
    assert found["bucket"].nunique() == 5
    assert np.abs(probabilities - clf.predict_proba(TALKS.data)).max() < 1e-6
    assert found["prediction"].tolist() == clf.predict(TALKS.data).tolist()
