"""What a process has in memory before it is forked into workers: so they begin within milliseconds."""

from tests.faults.killing.victims import prepared

prepared()
