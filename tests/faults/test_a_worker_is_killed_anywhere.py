"""A seeded share of `make faults`: a worker is killed at some boundaries of a run, and another one goes on."""

import os
import random

import pytest
from tests.faults.killing.campaign import Stage
from tests.faults.killing.scenes import SCENES

_SEED = int(os.environ.get("FAULTS_SEED", "1"))
_POINTS = 3
_FINDING_OUT = range(8, 12)  # the points around taking a step over and asking its probe


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_run_comes_to_its_end_wherever_its_worker_was_killed(postgres, data_dir, scene):
    stage = Stage.of(postgres, scene, data_dir, "carapulse_template")
    usual = stage.point(0)
    print(f"FAULTS_SEED={_SEED}")  # noqa: T201 - to repeat it
    chosen = random.Random(f"{_SEED} {scene.name}").sample(range(1, len(usual.passed) + 1), _POINTS)

    points = [usual, *(stage.point(number) for number in chosen)]

    assert not {(point.number, point.boundary): point.faults for point in points if point.faults}
    assert [point.boundary is None for point in points] == [True, *[False] * _POINTS]


def test_whoever_finds_out_what_took_place_may_be_killed_as_well(postgres, data_dir):
    stage = Stage.of(postgres, SCENES[0], data_dir, "carapulse_template")
    turned = stage.point(0).passed.index("after run toggle") + 1  # the lamp can be asked whether it was turned

    points = [stage.point(turned, then=number) for number in _FINDING_OUT]

    assert not {point.boundary: point.faults for point in points if point.faults}
    assert [str(point.boundary).rpartition(", then ")[2] for point in points] == [
        "after write_steps",
        "before probe toggle",
        "after probe toggle",
        "before write_steps",
    ]
