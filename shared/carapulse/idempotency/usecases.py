"""What is done before a request with a key is carried out, and after. In between its units of work mark the key."""

from typing import cast

from carapulse.idempotency.errors import KeyInUse
from carapulse.idempotency.model import Answer, Asked, Given, Held
from carapulse.idempotency.ports import KeyPorts
from carapulse.identity.errors import ScopeExceeded
from carapulse.identity.permissions import Permission, require
from carapulse.kernel.call import Attempt, Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.ids import new_id
from carapulse.rows import json_or_text, read_row


def claim_key(asked: Asked, call: Call, ports: KeyPorts) -> Attempt | Answer:
    """Give the key to this request, or return the answer that the first one with it got.

    Raises KeyReused, KeyInUse, AnswerLost, AnswerSecret or AnswerTooLarge; and Denied where the caller may not do any
    more what the first request did, or not touch any more what it could, for the answer says what it did.
    """
    attempt = Attempt(id=new_id("attempt"), key=asked.key)
    with ports.begin(call) as work:
        if work.keys.claim(asked, attempt):
            return attempt
        held = work.keys.find(asked.key)
    if held is None:
        raise KeyInUse("the key was given back this moment", retry_after=1)
    return _opened(held.repeated(asked), asked, call, ports)


def settle_attempt(given: Given | None, attempt: Attempt, call: Call, ports: KeyPorts) -> None:
    """Keep an answer that is final; otherwise free the key, unless something was written. None is no answer at all."""
    with ports.begin(call) as work:
        if given is None or given.is_passing:
            work.keys.give_back(attempt)
            return
        if given.depends and work.keys.give_back(attempt):
            return
        purpose = answer_purpose(attempt.key, call.actor.id, call.tenant)
        kept = given.answer.model_copy(update={"scope": call.actor.scope}).model_dump_json()
        work.keys.keep(given, None if given.withheld else ports.sealer.seal(kept, purpose), attempt)


def _opened(held: Held, asked: Asked, call: Call, ports: KeyPorts) -> Answer:
    require(call, cast("Permission", held.permission))
    plain = ports.sealer.open(held.sealed or "", answer_purpose(asked.key, call.actor.id, call.tenant))
    answer = read_row(Answer, json_or_text(plain), table="idempotency_keys", row_id=asked.key)
    if not answer.scope.within(call.actor.scope):
        raise ScopeExceeded("the first request was of somebody who may touch more", permission=held.permission)
    return answer


def answer_purpose(key: str, actor_id: str, tenant: str) -> str:
    """Return what an answer is sealed for, so that it opens in its own row alone."""
    return f"idempotent-answer:{digest([tenant, actor_id, key])}"
