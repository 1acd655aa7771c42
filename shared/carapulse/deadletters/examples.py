"""Why a message is sent again, or put away."""

from typing import Final

from carapulse.examples import Examples

REPLAYING: Final[Examples] = {"What it failed of is mended": {"note": "The cluster answers again"}}
DISCARDING: Final[Examples] = {"It is of no use any more": {"note": "The plan was closed by hand"}}
