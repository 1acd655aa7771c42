"""Taking a request of a chat in: first its proof, then its shape, then who it is, then what is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from carapulse.chatops.answering import DEEDS, Asked, obey
from carapulse.chatops.errors import ChatRefused, ChatRequestReplayed, InteractionUnsupported, UserNotLinked
from carapulse.chatops.events import ChatCommandGiven, ChatCommandRefused
from carapulse.chatops.forms import LARGEST, Pressed, read_command, read_press
from carapulse.chatops.grammar import LONGEST_WORDS, USAGE, Command, parse
from carapulse.chatops.linking import link_user
from carapulse.chatops.messages import TellChat
from carapulse.chatops.model import APPROVE, DENY, Link, Reply, Said, Workspace, workspace_actor
from carapulse.chatops.ports import ChatPorts
from carapulse.chatops.replying import address_purpose
from carapulse.chatops.showing import help_reply, linked_reply, refused_reply
from carapulse.chatops.signing import Proven, SlackHeaders, verify
from carapulse.chatops.usecases import end_link, secret_of
from carapulse.identity.addresses import is_safe
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem, TooLarge
from carapulse.kernel.record import Record
from carapulse.kernel.work import Work
from carapulse.observe import get_logger
from carapulse.tools.addresses import address_of

REPLY_WITHIN: Final = timedelta(minutes=30)
"""For so long Slack takes replies at the address that comes with what was pressed."""

_PRESSED: Final = {APPROVE: "approve", DENY: "deny"}
UNKNOWN: Final = "-"
"""What the log calls a command that is none: what somebody typed is nobody else's business."""

log = get_logger(__name__)


class ChatRequest(Record):
    """A request as it came: whom it claims to be from, how it proves that, and its body, not yet read."""

    workspace_id: str
    headers: SlackHeaders
    body: bytes
    trace: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A request that is proven: from which workspace, under which call, and who is known behind its user."""

    workspace: Workspace
    said: Said
    asked: Call
    link: Link | None

    @property
    def call(self) -> Call:
        """The person's own call, or the workspace's, which may do nothing."""
        return self.link.call(self.asked) if self.link else self.asked

    def person(self) -> Link:
        """Return who is known, or raise UserNotLinked."""
        if self.link is None:
            raise UserNotLinked("nobody is known behind you here: sign in, ask for a code, and say `link CODE`")
        return self.link


def answer_command(request: ChatRequest, ports: ChatPorts) -> Reply:
    """Do what a slash command asks for and return what its user is told; refused, that is why.

    Raises ChatRefused for whatever no registered workspace signed just now, before a byte of the body is parsed;
    ChatRequestReplayed for what was taken before; Invalid for what is no form of Slack's.
    """
    heard = _heard(request, read_command, ports)
    verb = next(iter(heard.said.text.lower().split()), "help")
    try:
        command = parse(heard.said.text)
        return _answered(command, heard, ports)
    except Problem as problem:
        return _refused(problem, verb if verb in USAGE else UNKNOWN, heard, ports)


def answer_press(request: ChatRequest, ports: ChatPorts) -> None:
    """Do what a button of ours asks for; what came of it goes to Slack by a message, in the write that decides."""
    heard = _heard(request, read_press, ports)
    pressed = heard.said
    if not isinstance(pressed, Pressed) or pressed.action_id not in _PRESSED:
        raise InteractionUnsupported("this button is none of ours")
    address = pressed.response_url or ""
    if not is_safe(address) or address_of(address) not in ports.settings.chat_reply_addresses:
        raise InteractionUnsupported("the address for the reply is none that may be written to")
    verb = _PRESSED[pressed.action_id]
    try:
        command = _meant(verb, pressed.text, heard.person())
        _note(command, heard, ports)
        obey(Asked(command, heard.call, ports, lambda reply, work: _tell(reply, heard, ports, work)))
    except Problem as problem:
        _refused(problem, verb, heard, ports, tell=True)


def _meant(verb: str, value: str, link: Link) -> Command:
    """Return the command that a button is; whoever denies with one gives no reason, so theirs is that they did."""
    words = f"denied in Slack by {link.subject}"[:LONGEST_WORDS] if verb == "deny" else None
    return parse(f"approve {value}").model_copy(update={"deed": verb, "words": words})


def _answered(command: Command, heard: Heard, ports: ChatPorts) -> Reply:
    if command.deed == "help":
        return help_reply()
    if command.deed == "link":
        return linked_reply(link_user(command.id, heard.workspace, heard.said, heard.asked, ports))
    link = heard.person()
    if command.deed == "whoami":
        return linked_reply(link)
    if command.deed == "unlink":
        with ports.begin(heard.call) as work:
            end_link(link, heard.call, work)
        return Reply(title=f"You are not {link.subject} here any more")
    if DEEDS[command.deed].changes:
        _note(command, heard, ports)
    return obey(Asked(command, heard.call, ports))


def _heard(request: ChatRequest, read: Callable[[bytes], Said], ports: ChatPorts) -> Heard:
    """Return what was said, by whom, or raise; from here on this very request is not taken again."""
    if len(request.body) > LARGEST:
        raise TooLarge("the body is larger than any of Slack's requests", most_bytes=LARGEST)
    at = ports.clock.now()
    try:
        asked, workspace, proven = _verified(request, at, ports)
        said = read(request.body)
        _must_be_of(workspace, said)
    except ChatRefused as refusal:
        log.warning("chat_refused", workspace_id=request.workspace_id, why=refusal.why)
        raise
    with ports.begin(asked) as work:
        if not work.chat_workspaces.take(workspace.id, proven.digest, proven.until):
            raise ChatRequestReplayed("this request was taken before")
        link = work.chat_links.of_user(workspace.id, said.chat_user)
    return Heard(workspace, said, asked, link if link and link.expires_at > at else None)


def _must_be_of(workspace: Workspace, said: Said) -> None:
    """Return if the registered team is meant: an app that is installed in several signs for all with one secret."""
    if said.team_id != workspace.team_id:
        raise ChatRefused("it is about another team than the registered one")


def _verified(request: ChatRequest, at: datetime, ports: ChatPorts) -> tuple[Call, Workspace, Proven]:
    owner = ports.workspace_directory.find(request.workspace_id)
    if owner is None:
        raise ChatRefused("no workspace has this id")
    asked = Call(actor=workspace_actor(owner.name), tenant=owner.tenant, at=at, trace=request.trace)
    with ports.begin(asked) as work:
        workspace = work.chat_workspaces.find(request.workspace_id)
    if workspace is None:
        raise ChatRefused("the workspace was retired just now")
    return asked, workspace, verify(request.headers, request.body, secret_of(workspace, owner.tenant, ports), at)


def _note(command: Command, heard: Heard, ports: ChatPorts) -> None:
    """Say in the log, before it is done, that this came from a chat: what it does has the same trace."""
    with ports.begin(heard.call) as work:
        given = ChatCommandGiven(
            workspace_id=heard.workspace.id,
            channel=heard.said.channel,
            chat_user=heard.said.chat_user,
            link_id=heard.person().id,
            command=command.deed,
            about=command.id,
        )
        work.record(heard.workspace.id, given)


def _refused(problem: Problem, verb: str, heard: Heard, ports: ChatPorts, *, tell: bool = False) -> Reply:
    reply = refused_reply(problem)
    with ports.begin(heard.call) as work:
        refused = ChatCommandRefused(
            workspace_id=heard.workspace.id,
            channel=heard.said.channel,
            chat_user=heard.said.chat_user,
            link_id=heard.link.id if heard.link else None,
            command=verb,
            code=problem.code,
        )
        work.record(heard.workspace.id, refused)
        if tell:
            _tell(reply, heard, ports, work)
    log.warning("chat_command_refused", workspace_id=heard.workspace.id, code=problem.code)
    return reply


def _tell(reply: Reply, heard: Heard, ports: ChatPorts, work: Work) -> None:
    sealed = ports.sealer.seal(heard.said.response_url or "", address_purpose(heard.workspace.id, heard.asked.tenant))
    until = heard.asked.at + REPLY_WITHIN
    work.send(TellChat(workspace_id=heard.workspace.id, sealed_address=sealed, until=until, reply=reply))
