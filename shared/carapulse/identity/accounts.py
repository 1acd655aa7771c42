"""Service accounts of a cloud that call us: each known by an address that its issuer verified."""

from collections.abc import Mapping
from typing import Any

from carapulse.identity.addresses import Email, IssuerUrl
from carapulse.identity.claims import Word
from carapulse.identity.errors import TokenRefused
from carapulse.identity.model import Principal, Proof
from carapulse.identity.tokens import Algorithm
from carapulse.kernel.call import INSTALLATION, Actor
from carapulse.kernel.record import Record


class ServiceAccount(Record):
    """The one account that may call, and what its tokens must be made for."""

    issuer: IssuerUrl
    audience: Word
    email: Email
    algorithms: tuple[Algorithm, ...] = ("RS256",)
    ca_file: None = None

    def principal(self, said: Mapping[str, Any], expires_at: float) -> Principal:
        """Return who a verified token speaks for, or raise TokenRefused for every account but this one."""
        if said.get("email") != self.email or said.get("email_verified") is not True:
            raise TokenRefused("the token is not one of the account that may call")
        actor = Actor(id=self.email, kind="service")
        return Principal(actor=actor, tenant=INSTALLATION, expires_at=expires_at, proof=Proof(kind="token"))
