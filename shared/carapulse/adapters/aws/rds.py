"""Tokens by which RDS and Aurora believe a role of AWS instead of a password. They are signed here; nobody is asked."""

from dataclasses import dataclass
from typing import Any, Self

from carapulse.adapters.aws.calling import answered_by, client_of


@dataclass(frozen=True, slots=True)
class RdsTokens:
    """Signs with whatever credentials this process has at that moment. A token is good for fifteen minutes."""

    client: Any

    @classmethod
    def connect(cls) -> Self:
        """Return the signer; Unavailable where no region is named."""
        with answered_by("what signs tokens for RDS"):
            return cls(client_of("rds"))

    def token(self, host: str, port: int, user: str) -> str:
        """Return what proves a user of the database at a server; Unavailable without credentials."""
        with answered_by("what signs tokens for RDS"):
            return str(self.client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user))
