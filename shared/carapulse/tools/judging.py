"""From how a program ended or a server answered to what is known about the effect."""

import json
import re
from http import HTTPStatus
from typing import Any

from carapulse.tools.errors import ConnectionForbids, InputRefused, ToolUnavailable
from carapulse.tools.expectations import Comparison, Expectation, unmet
from carapulse.tools.expressions import finite, look_up
from carapulse.tools.manifest import Action, HttpRun, ProgramRun, SuccessRule
from carapulse.tools.model import Effect, Outcome, OutcomeKind
from carapulse.tools.ports import CANCELLED, Answer, Ended, EndedBy
from carapulse.tools.redaction import Redactor
from carapulse.tools.schemas import InputSchema
from carapulse.tools.templates import Scope, filled

EXCERPT = 4096
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS}
_AWAY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT, *_BUSY}


def judge_program(action: Action, run: ProgramRun, ended: Ended, scope: Scope, redactor: Redactor) -> Outcome:
    """Return what is known after a program ended, or raise if nothing was changed and it may be tried again."""
    text = ended.stdout if ended.exit_code in run.exits.succeeded else ended.stderr or ended.stdout
    facts = {"text": text[-EXCERPT:], "exit_code": ended.exit_code, "truncated": ended.truncated}
    outcome = Outcome(kind=OutcomeKind.FAILED, detail="", duration_ms=ended.duration_ms, **facts)
    if ended.by is not EndedBy.ITSELF or ended.exit_code is None:
        detail = f"ended by {ended.by}" + (f", signal {ended.signal}" if ended.signal else "")
        return _stopped(action, outcome, detail, cancelled=ended.by is EndedBy.CANCEL)
    if ended.exit_code in run.exits.succeeded:
        return _read(action, outcome, ended.stdout, scope)
    meaning = _meaning(run, ended)
    said = redactor.text(text)[-300:].strip()
    if meaning == "forbidden":
        raise ConnectionForbids("the connection does not allow this", said=said)
    if meaning == "unavailable":
        raise ToolUnavailable("the program could not reach its service", program=run.program, said=said)
    if meaning == "unknown":
        return _stopped(action, outcome, f"exit code {ended.exit_code}: it can't be known how far it came")
    return outcome.model_copy(update={"detail": f"exit code {ended.exit_code}", "unchanged": meaning == "refused"})


def _meaning(run: ProgramRun, ended: Ended) -> str:
    for word in ("unavailable", "unknown", "forbidden", "refused"):
        if ended.exit_code in getattr(run.exits, word):
            return word
    return next((sign.means for sign in run.signs if re.search(sign.stderr, ended.stderr)), "failed")


def judge_answer(action: Action, run: HttpRun, answer: Answer, scope: Scope) -> Outcome:
    """Return what is known after an HTTP exchange, or raise if nothing was changed and it may be tried again."""
    text = answer.body.decode("utf-8", errors="replace")
    facts = {"text": text[:EXCERPT], "http_status": answer.status, "truncated": answer.truncated}
    outcome = Outcome(kind=OutcomeKind.FAILED, detail="", duration_ms=answer.duration_ms, **facts)
    if not answer.sent:
        return outcome.model_copy(update={"detail": "cancelled before anything was sent", "unchanged": True})
    if answer.status is None:
        return _stopped(action, outcome, f"no answer: {answer.lost}", cancelled=answer.lost == CANCELLED)
    if run.welcomes(answer.status):
        return _read(action, outcome, text, scope, response=_response(answer, text))
    reads = action.effect is Effect.READ
    if answer.status in (_AWAY if reads else _BUSY):
        raise ToolUnavailable("the service is busy or away", http_status=answer.status)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not reads:
        return _stopped(action, outcome, f"HTTP status {answer.status}: it can't be known how far it came")
    refused = answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return outcome.model_copy(update={"detail": f"HTTP status {answer.status}", "unchanged": refused})


def _response(answer: Answer, text: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "status": answer.status,
        "headers": answer.headers,
        "text": text,
        "elapsed_ms": answer.duration_ms,
    }
    if not answer.truncated and "json" in answer.headers.get("content-type", ""):
        document["json"] = parsed_json(text)
    return document


def _stopped(action: Action, outcome: Outcome, detail: str, *, cancelled: bool = False) -> Outcome:
    """Say that a read that did not come to its end changed nothing; a write may have changed anything."""
    if action.effect is Effect.READ:
        if cancelled:
            return outcome.model_copy(update={"detail": detail})
        raise ToolUnavailable("the read did not come to its end", said=detail)
    return outcome.model_copy(update={"kind": OutcomeKind.UNKNOWN, "detail": detail})


def _read(action: Action, outcome: Outcome, text: str, scope: Scope, response: Any = None) -> Outcome:  # noqa: ANN401
    """Give the outcome its output. An answer to a write that can't be read leaves its effect unknown."""
    if action.output.format == "none":
        return outcome.model_copy(update={"kind": OutcomeKind.SUCCEEDED, "detail": "done"})
    output = _selected(action, outcome, text, response)
    if output is None:
        unreadable = OutcomeKind.FAILED if action.effect is Effect.READ else OutcomeKind.UNKNOWN
        reason = "the answer was cut off" if outcome.truncated else "the answer can't be read as declared"
        return outcome.model_copy(update={"kind": unreadable, "detail": reason})
    missed = unmet(rules_of(action.success, scope), output)
    kind = OutcomeKind.FAILED if missed else OutcomeKind.SUCCEEDED
    detail = "; ".join(f"{each.expectation.path}: {each.reason}" for each in missed) or "done"
    return outcome.model_copy(update={"kind": kind, "detail": detail, "output": output})


def _selected(action: Action, outcome: Outcome, text: str, response: Any) -> Any:  # noqa: ANN401 - any JSON value
    if outcome.truncated:
        return None
    document: Any = text if action.output.format == "text" else response
    if action.output.format == "json":
        document = parsed_json(text)
    if action.output.format == "json_stream":
        document = parsed_stream(text)
    if action.output.select is not None and document is not None:
        document = look_up(action.output.select, document)
    schema = action.output.output_schema
    wrong = schema is not None and InputSchema(schema).faults(document)
    return None if wrong else document


def parsed_json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value of a text with NaN and infinities as null, or None if it is none."""
    try:
        return finite(json.loads(text))
    except (ValueError, RecursionError):
        return None


def parsed_stream(text: str) -> list[Any] | None:
    """Return the JSON values that stand one after the other in a text, or None if anything else does."""
    decoder, values, rest = json.JSONDecoder(), [], text.lstrip()
    try:
        while rest:
            value, end = decoder.raw_decode(rest)
            values.append(finite(value))
            rest = rest[end:].lstrip()
    except (ValueError, RecursionError):
        return None
    return values


def rules_of(rules: tuple[SuccessRule, ...], scope: Scope) -> tuple[Expectation, ...]:
    """Return rules as expectations, without those whose value refers to nothing."""
    filled_in = ((rule, filled(rule.value, scope)) for rule in rules)
    valueless = (Comparison.EXISTS, Comparison.ABSENT)
    kept = [(rule, value) for rule, value in filled_in if value is not None or rule.op in valueless]
    try:
        return tuple(Expectation(path=rule.path, op=rule.op, value=value) for rule, value in kept)
    except ValueError as error:
        raise InputRefused("a value does not fit what it is compared with") from error
