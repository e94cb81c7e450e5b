"""Tests of searches on machines with several GPUs, as far as they can be told without one."""

import _clusters
from _searches import read_card
from joblib import Parallel, delayed, parallel_config


def test_ray_gives_each_worker_a_card_of_its_own():
    """Check what the guide says of GPUs: Ray hides the others, whether there are any or not."""
    with (
        _clusters.ray(log_to_driver=False, num_gpus=2) as engine,
        parallel_config(ray_remote_args={"num_gpus": 1}, **engine),
    ):
        cards = Parallel()(delayed(read_card)() for _ in range(4))
    assert set(cards) == {"0", "1"}
