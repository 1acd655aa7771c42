"""Reading what Slack sends: forms, strictly, and the JSON that stands in one of them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from carapulse.chatops.errors import FormIncomplete, InteractionUnsupported, NotAForm
from carapulse.chatops.model import ChannelId, ChatUser, ResponseUrl, Said, TeamId
from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import pointer_of
from carapulse.wire import read_json

LARGEST = 65_536
"""More than Slack needs for any of its requests, in bytes."""

MEDIA_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 64
_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class _Sent(BaseModel):
    """What Slack sends may grow: fields that nobody here knows are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


S = TypeVar("S", bound=_Sent)


class _Command(_Sent):
    team_id: TeamId
    user_id: ChatUser
    channel_id: ChannelId
    response_url: ResponseUrl
    text: Annotated[str, Field(max_length=4000)] = ""


class _Named(_Sent):
    id: str


class _User(_Sent):
    id: ChatUser


class _Team(_Sent):
    id: TeamId


class _Channel(_Sent):
    id: ChannelId


class _Button(_Sent):
    action_id: str = Field(max_length=255)
    value: str = Field(max_length=2000)


class _Press(_Sent):
    type: Literal["block_actions"]
    team: _Team
    user: _User
    channel: _Channel
    response_url: ResponseUrl
    actions: tuple[_Button, ...] = Field(min_length=1, max_length=1)


class Pressed(Said):
    """A button that a user pressed: which one, and what it carries as the text."""

    action_id: str


def read_form(body: bytes) -> Mapping[str, str]:
    """Return the fields of a form, or raise NotAForm: each name once, every escape whole, UTF-8 and nothing else."""
    if not body.isascii() or _PERCENT.search(body):
        raise NotAForm("the body is no form in which everything but plain letters is escaped")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise NotAForm("the body is no form, or is not in UTF-8") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NotAForm("the form has the same field twice")
    if any("\0" in each for pair in pairs for each in pair):
        raise NotAForm("the form holds a NUL character")
    return fields


def read_command(body: bytes) -> Said:
    """Return a slash command, or raise NotAForm or FormIncomplete."""
    sent = _valid(_Command, dict(read_form(body)))
    return Said(
        team_id=sent.team_id,
        chat_user=sent.user_id,
        channel=sent.channel_id,
        response_url=sent.response_url,
        text=sent.text,
    )


def read_press(body: bytes) -> Pressed:
    """Return which button was pressed, or raise NotAForm, FormIncomplete, MalformedJson or InteractionUnsupported."""
    payload = read_form(body).get("payload")
    if payload is None:
        raise FormIncomplete("the form has no payload")
    found = read_json(payload.encode())
    if isinstance(found, dict) and found.get("type") != "block_actions":
        raise InteractionUnsupported("only buttons of messages are answered")
    press = _valid(_Press, found)
    (button,) = press.actions
    return Pressed(
        team_id=press.team.id,
        chat_user=press.user.id,
        channel=press.channel.id,
        response_url=press.response_url,
        text=button.value,
        action_id=button.action_id,
    )


def _valid(kind: type[S], found: Any) -> S:  # noqa: ANN401 - any JSON value
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        raise FormIncomplete("the request is not one of Slack's", faults=_faults(error)) from error


def _faults(error: ValidationError) -> tuple[Fault, ...]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(Fault(pointer=pointer_of(each["loc"]), code=each["type"], detail=each["msg"]) for each in found)
