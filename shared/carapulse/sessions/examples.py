"""Sessions, and who takes part."""

from typing import Final

from carapulse.examples import Examples

SESSIONS: Final[Examples] = {
    "An incident": {"name": "Errors in checkout", "group": "incidents", "metadata": {"severity": 2}}
}
CHANGING: Final[Examples] = {"It is over": {"name": "Errors in checkout (over)", "metadata": {"severity": None}}}
MEMBERS: Final[Examples] = {"Somebody who may write": {"role": "editor"}}
