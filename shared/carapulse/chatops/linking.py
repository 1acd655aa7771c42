"""Who a user of a chat is: a person says so with their own bearer, and the user proves it with a code, once."""

import base64
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final

from carapulse.chatops.errors import CodeRefused
from carapulse.chatops.events import ChatCodeIssued, ChatLinked
from carapulse.chatops.model import KeptCode, Link, Said, Workspace
from carapulse.chatops.ports import ChatPorts
from carapulse.chatops.views import Code
from carapulse.identity.errors import PersonRequired
from carapulse.identity.model import Principal
from carapulse.kernel.call import Call
from carapulse.kernel.ids import new_id

CODE_LIFETIME: Final = timedelta(minutes=10)
_BYTES: Final = 16
"""128 bits: nobody guesses one in ten minutes, and a plain hash is enough."""


def issue_code(principal: Principal, call: Call, ports: ChatPorts) -> Code:
    """Return a code with which a user of a chat becomes the caller, once and within ten minutes.

    Raises PersonRequired for whatever is no person that an issuer vouches for just now.
    """
    if principal.actor.kind != "person" or principal.proof.kind != "token":
        raise PersonRequired("only a person who signed in can be linked to a chat")
    secret = base64.b32encode(secrets.token_bytes(_BYTES)).decode("ascii").rstrip("=")
    expires_at = call.at + CODE_LIFETIME
    kept = KeptCode(id=new_id("code"), digest=_digest(secret), principal=principal, expires_at=expires_at)
    with ports.begin(call) as work:
        work.chat_links.add_code(kept)
        work.record(kept.id, ChatCodeIssued(code_id=kept.id, expires_at=expires_at.isoformat()))
    hours = ports.settings.chat_link_hours
    return Code(code=secret, command=f"/carapulse link {secret}", expires_at=expires_at, link_hours=hours)


def link_user(code: str, workspace: Workspace, said: Said, asked: Call, ports: ChatPorts) -> Link:
    """Bind a user of a workspace to the person whose code this is, instead of whoever it was before.

    The person keeps the roles and the scope that their bearer had when they asked for the code. Raises CodeRefused.
    """
    kept = _found(code, asked, ports)
    with ports.begin(asked.model_copy(update={"actor": kept.principal.actor})) as work:
        if not work.chat_links.take_code(kept.digest, asked.at):
            raise CodeRefused("the code was used just now; ask for a new one")
        before = work.chat_links.of_user(workspace.id, said.chat_user)
        if before is not None:
            work.chat_links.remove(before.id)
        link = Link(
            id=new_id("link"),
            workspace_id=workspace.id,
            chat_user=said.chat_user,
            subject=kept.principal.actor.id,
            principal=kept.principal,
            linked_at=asked.at,
            expires_at=asked.at + timedelta(hours=ports.settings.chat_link_hours),
        )
        work.chat_links.add(link)
        work.record(workspace.id, _linked(link, kept, before))
    return link


def _found(code: str, asked: Call, ports: ChatPorts) -> KeptCode:
    """Return the code, which somebody else may still take first: the log is to name its person, known only by it."""
    with ports.begin(asked) as work:
        kept = work.chat_links.code(_digest(code), asked.at)
    if kept is None:
        raise CodeRefused("the code was not accepted; ask for a new one")
    return kept


def _linked(link: Link, code: KeptCode, before: Link | None) -> ChatLinked:
    return ChatLinked(
        link_id=link.id,
        workspace_id=link.workspace_id,
        chat_user=link.chat_user,
        subject=link.subject,
        roles=tuple(sorted(link.principal.actor.roles)),
        code_id=code.id,
        replaces=before.id if before else None,
        expires_at=link.expires_at.isoformat(),
    )


def _digest(code: str) -> str:
    return "sha256:" + sha256(code.encode()).hexdigest()
