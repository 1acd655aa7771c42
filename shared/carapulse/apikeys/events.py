"""What happens to keys. Each is a fact in the key's own stream; none holds what proves it."""

from typing import Self

from carapulse.apikeys.model import ApiKey
from carapulse.kernel.call import Scope
from carapulse.kernel.event import Event


class ApiKeyCreated(Event):
    """Somebody made a key and answers for it."""

    key_id: str
    name: str
    prefix: str
    kind: str
    roles: tuple[str, ...]
    scope: Scope
    created_by: str
    expires_at: str

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """Return the fact that this key was made."""
        return cls(
            key_id=key.id,
            name=key.name,
            prefix=key.prefix,
            kind=key.kind,
            roles=tuple(sorted(key.roles)),
            scope=key.scope,
            created_by=key.created_by,
            expires_at=key.expires_at.isoformat(),
        )


class ApiKeyRevoked(Event):
    """A key is good for nothing from this moment on."""

    key_id: str
    name: str
    prefix: str

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """Return the fact that this key was revoked."""
        return cls(key_id=key.id, name=key.name, prefix=key.prefix)
