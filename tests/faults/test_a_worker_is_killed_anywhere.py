"""A seeded share of `make faults`: a worker is killed at some boundaries of a run, and another one goes on."""

import os
import random

import pytest
from tests.faults.killing.campaign import Stage
from tests.faults.killing.scenes import SCENES

_SEED = int(os.environ.get("FAULTS_SEED", "1"))
_POINTS = 3


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_run_comes_to_its_end_wherever_its_worker_was_killed(postgres, data_dir, scene):
    stage = Stage.of(postgres, scene, data_dir, "carapulse_template")
    usual = stage.point(0)
    print(f"FAULTS_SEED={_SEED}")  # noqa: T201 - to repeat it
    chosen = random.Random(f"{_SEED} {scene.name}").sample(range(1, len(usual.passed) + 1), _POINTS)

    points = [usual, *(stage.point(number) for number in chosen)]

    assert not {(point.number, point.boundary): point.faults for point in points if point.faults}
    assert [point.boundary is None for point in points] == [True, *[False] * _POINTS]
