"""Where a worker's time in a step goes: cProfile over the steps of a few runs, with tools that return at once."""

import cProfile
import pstats
import time
from contextlib import closing

from tests.bench.measuring import make_database
from tests.builders.instant import an_instant_rig, noops
from tests.conftest import a_folder
from tests.world.rig import Rig

from carapulse.adapters.embedded.postgres import EmbeddedPostgres

_RUNS = 10
_TOP = 25


def main() -> None:
    """Print the functions with the most time in all they call, then those with the most of their own."""
    with a_folder() as folder:
        server = EmbeddedPostgres.start(folder)
        try:
            with closing(an_instant_rig(make_database(server), folder / "data")) as rig:
                report(profile_of(rig))
        finally:
            server.stop()


def profile_of(rig: Rig) -> cProfile.Profile:
    """Work off a few runs, after one that warms everything up."""
    rig.finish(rig.start(noops(rig)))
    executions = [rig.start(noops(rig)) for _ in range(_RUNS)]
    profile = cProfile.Profile(time.process_time)
    profile.runcall(rig.workers.run_until_idle)
    assert all(rig.state(each).status == "succeeded" for each in executions)
    return profile


def report(profile: cProfile.Profile) -> None:
    """Print what was found: the processor's time, so that waiting for the database counts for nothing."""
    stats = pstats.Stats(profile).strip_dirs()
    print(f"{_RUNS} runs of 10 steps: the processor's time in this process")
    stats.sort_stats("cumulative").print_stats(_TOP)
    stats.sort_stats("tottime").print_stats(_TOP)


if __name__ == "__main__":
    main()
