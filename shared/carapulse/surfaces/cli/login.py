"""carapulse login and logout: a person proves in a browser who they are, and this machine keeps the token."""

import json
from typing import Annotated

import typer
from rich.text import Text

from carapulse.kernel.clock import SystemClock
from carapulse.surfaces.cli.commands import naming
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.logins import Login
from carapulse.surfaces.cli.options import said
from carapulse.surfaces.cli.provider import Device, Provider


@naming
def login(
    desk: Desk,
    *,
    issuer: Annotated[str, said("The identity provider's address, as the installation lists it.", "--issuer")],
    client_id: Annotated[str, said("How the identity provider calls this program.", "--client-id")],
    scope: Annotated[
        str, typer.Option("--scope", help="What to ask for; offline_access often keeps logins longer.")
    ] = ("openid"),
    audience: Annotated[str | None, said("Whom the token is for, if the provider wants to know.", "--audience")] = None,
) -> None:
    """Show a code to enter in the identity provider's page, wait for that, and keep the token for later commands.

    It is kept for the installation at --url, and shown to no other.
    """
    provider = Provider.find(issuer, client_id)
    device = provider.begin(scope, audience)
    _ask(desk, device)
    grant = provider.await_grant(device)
    now = SystemClock().now().timestamp()
    empty = Login(url=desk.where, issuer=issuer, client_id=client_id, access_token=grant.access_token)
    kept = empty.refreshed(grant, now)
    desk.login.keep(kept)
    if desk.as_json:
        desk.write(json.dumps({"url": kept.url, "issuer": issuer, "expires_at": kept.expires_at}))
    else:
        desk.write(f"Logged in for {kept.url}.")


@naming
def logout(desk: Desk) -> None:
    """Delete the token that `carapulse login` kept for the installation at --url."""
    was_there = desk.login.forget()
    if desk.as_json:
        desk.write(json.dumps({"url": desk.where, "was_logged_in": was_there}))
    else:
        desk.write(f"Logged out of {desk.where}." if was_there else f"Nobody was logged in for {desk.where}.")


def _ask(desk: Desk, device: Device) -> None:
    desk.side.print(
        Text.assemble("Open ", (device.verification_uri, "bold"), " and enter ", (device.user_code, "bold"))
    )
    if device.verification_uri_complete:
        desk.side.print(Text(f"or open {device.verification_uri_complete}"))
