"""What the first request to an area costs a function that has just begun: the processor's time of loading it."""

import subprocess
import sys

import pytest

from carapulse.runtime.areas import ROUTERS

ROUNDS = 3
LOADS = """
import time, carapulse.bootstrap, carapulse.runtime.functions, carapulse.runtime.http.app
from carapulse.runtime.areas import ROUTERS
begun = time.process_time()
{load}
print(time.process_time() - begun)
"""
READS = {
    "manifests": "carapulse.bootstrap._catalogue(carapulse.bootstrap.builtin_manifests())",
    "recipes": "carapulse.bootstrap._book()",
}


@pytest.mark.timeout(600)
def test_loading_each_area_into_a_function_that_has_just_begun():
    areas = {area.addresses[0]: f"ROUTERS.methods_at('/v1/{area.addresses[0]}')" for area in ROUTERS.areas}

    for name, load in {**areas, **READS, "all areas": "ROUTERS.load()"}.items():
        took = min(seconds(load) for _ in range(ROUNDS))
        print(f"{name}: {took * 1000:.0f} ms")
        assert took > 0


def seconds(load):
    command = [sys.executable, "-W", "ignore", "-c", LOADS.format(load=load)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
