"""What can be asked of keys. One function is one thing that somebody can ask for."""

from datetime import timedelta

from carapulse.apikeys.events import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated
from carapulse.apikeys.model import ApiKey, CreateApiKey, RevokeApiKey, RotateApiKey
from carapulse.apikeys.ports import ApiKeyFilter, ApiKeyPorts
from carapulse.apikeys.proving import mark_of, new_key
from carapulse.apikeys.views import IssuedKey
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.ids import new_id
from carapulse.observe import get_logger

log = get_logger(__name__)


def create_api_key(command: CreateApiKey, call: Call, ports: ApiKeyPorts) -> IssuedKey:
    """Make a key; its text is in this answer, and nobody can show it again."""
    prefix, text = new_key()
    key = ApiKey.made(command, new_id("key"), prefix, call, ports.clock.now())
    with ports.begin(call) as work:
        work.api_keys.add(key, mark_of(text, ports.sealer))
        work.record(key.id, ApiKeyCreated.of(key))
    log.info("api_key_created", key_id=key.id, kind=key.kind, expires_at=key.expires_at.isoformat())
    return IssuedKey(key=key, text=text)


def list_api_keys(wanted: ApiKeyFilter, call: Call, ports: ApiKeyPorts) -> Page[ApiKey]:
    """Return keys, the newest first, also those that are over."""
    with ports.begin(call) as work:
        return work.api_keys.page(wanted)


def get_api_key(key_id: str, call: Call, ports: ApiKeyPorts) -> ApiKey:
    """Return one key."""
    with ports.begin(call) as work:
        return work.api_keys.get(key_id)


def rotate_api_key(key_id: str, command: RotateApiKey, call: Call, ports: ApiKeyPorts) -> IssuedKey:
    """Make a key that follows another and may do the same; the other ends at once, or when the overlap is over."""
    prefix, text = new_key()
    with ports.begin(call) as work:
        key, at = work.api_keys.lock(key_id), ports.clock.now()
        successor = key.successor(command, new_id("key"), prefix, call, at)
        ending = key.replaced(successor, timedelta(seconds=command.overlap_s), call, at)
        work.api_keys.add(successor, mark_of(text, ports.sealer))
        work.api_keys.end(ending)
        work.record(successor.id, ApiKeyCreated.of(successor))
        work.record(key.id, ApiKeyRotated.of(ending, successor))
        if ending.revoked_because is not None:
            work.record(key.id, ApiKeyRevoked.of(ending, ending.revoked_because))
    log.info("api_key_rotated", key_id=key.id, replaced_by=successor.id)
    return IssuedKey(key=successor, text=text)


def revoke_api_key(key_id: str, command: RevokeApiKey, call: Call, ports: ApiKeyPorts) -> ApiKey:
    """Make a key good for nothing, at once and everywhere. One that is revoked already stays as it is."""
    with ports.begin(call) as work:
        key = work.api_keys.lock(key_id)
        revoked = key.revoked(command.reason, call, ports.clock.now())
        if revoked != key:
            work.api_keys.end(revoked)
            work.record(key.id, ApiKeyRevoked.of(key, command.reason))
    log.info("api_key_revoked", key_id=key.id)
    return revoked
