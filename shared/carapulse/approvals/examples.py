"""Answers to the question whether a plan may be run. Whoever answers names the digest of what they judged."""

from typing import Final

from carapulse.examples import Examples

_DIGEST: Final = "sha256:7c4cbc0143a5befd82e53763798070d2a64d3fddd8b262c733aa4bee26558f6b"
_ABOUT: Final = {"plan_id": "plan_01a21cdca5817a39a2cb6f9a9e01243d", "digest": _DIGEST}

DECIDING: Final[Examples] = {
    "Approve a plan": {**_ABOUT, "status": "approved", "note": "Checked with the shop's team"},
    "Deny it": {**_ABOUT, "status": "denied", "note": "Not while the sale is on"},
}
ANSWERING: Final[Examples] = {
    "Approve": {"status": "approved", "digest": _DIGEST, "note": "Checked with the shop's team"},
    "Deny": {"status": "denied", "digest": _DIGEST},
}
DELEGATING: Final[Examples] = {"Let somebody else answer": {"to": "grace", "note": "I am away until Monday"}}
