"""Keys over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.apikeys.examples import KEYS, REVOKING, ROTATING
from carapulse.apikeys.model import ApiKey, CreateApiKey, RevokeApiKey, RotateApiKey
from carapulse.apikeys.ports import ApiKeyFilter
from carapulse.apikeys.usecases import create_api_key, get_api_key, list_api_keys, revoke_api_key, rotate_api_key
from carapulse.apikeys.views import IssuedKey
from carapulse.conditions import ThisTag
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs, shows_secret

router = APIRouter(prefix="/v1/api-keys", tags=["api-keys"])


@router.post(
    "",
    name="create",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("api-key:write"), shows_secret],
    openapi_extra=shows(KEYS),
)
def create(command: CreateApiKey, tag: ThisTag, call: ThisCall, ports: Ports) -> IssuedKey:
    """Make a key for a service or an agent. Its text is in this answer and in no other."""
    issued = create_api_key(command, call, ports)
    tag.at(f"/v1/api-keys/{issued.key.id}", issued.key)
    return issued


@router.get("", name="list", dependencies=[needs("api-key:read")])
def list_page(
    wanted: Annotated[ApiKeyFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[ApiKey]:
    """List keys, the newest first, also those that are over."""
    return pages.turn(lambda wanted: list_api_keys(wanted, call, ports), wanted)


@router.get("/{key_id}", name="get", dependencies=[needs("api-key:read")])
def get(key_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> ApiKey:
    """Show one key, without what proves it."""
    return tag.on(get_api_key(key_id, call, ports))


@router.post("/{key_id}:revoke", name="revoke", dependencies=[needs("api-key:revoke")], openapi_extra=shows(REVOKING))
def revoke(key_id: str, command: RevokeApiKey, call: ThisCall, ports: Ports) -> ApiKey:
    """Revoke a key, at once and everywhere. One that is revoked already stays as it is."""
    return revoke_api_key(key_id, command, call, ports)


@router.post(
    "/{key_id}:rotate",
    name="rotate",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("api-key:write"), shows_secret],
    openapi_extra=shows(ROTATING),
)
def rotate(key_id: str, command: RotateApiKey, tag: ThisTag, call: ThisCall, ports: Ports) -> IssuedKey:
    """Give a key a successor that may do the same. Its text is in this answer and in no other."""
    issued = rotate_api_key(key_id, command, call, ports)
    tag.at(f"/v1/api-keys/{issued.key.id}", issued.key)
    return issued
