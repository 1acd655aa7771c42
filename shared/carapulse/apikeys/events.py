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
    replaces: str | None = None

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
            replaces=key.replaces,
        )


class ApiKeyRevoked(Event):
    """A key is good for nothing from this moment on."""

    key_id: str
    name: str
    prefix: str
    reason: str

    @classmethod
    def of(cls, key: ApiKey, reason: str) -> Self:
        """Return the fact that this key was revoked."""
        return cls(key_id=key.id, name=key.name, prefix=key.prefix, reason=reason)


class ApiKeyRotated(Event):
    """A key has a successor, and is good for nothing from some moment on."""

    key_id: str
    name: str
    prefix: str
    replaced_by: str
    ends_at: str

    @classmethod
    def of(cls, key: ApiKey, successor: ApiKey) -> Self:
        """Return the fact that this key, as it is from now on, has that successor."""
        ends_at = (key.revoked_at or key.expires_at).isoformat()
        return cls(key_id=key.id, name=key.name, prefix=key.prefix, replaced_by=successor.id, ends_at=ends_at)
