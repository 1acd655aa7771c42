"""What a process has in memory before it is forked into workers: so they begin within milliseconds."""

import gc

from tests.faults.killing.victims import prepared

prepared()
gc.collect()
gc.freeze()  # or each child's first collection would copy all of it
