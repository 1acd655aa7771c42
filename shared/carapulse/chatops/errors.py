"""What can go wrong between a chat and us."""

from http import HTTPStatus

from carapulse.kernel.errors import Conflict, Denied, Invalid, NotFound, Unauthenticated, Unavailable


class ChatRefused(Unauthenticated):
    """The request is not one that a registered workspace signed just now.

    Every cause gives this one answer, so that nobody can probe; `why` is for the log alone.
    """

    code = "chat-refused"

    def __init__(self, why: str) -> None:
        super().__init__("the request from the chat could not be verified")
        self.why = why


class ChatRequestReplayed(Conflict):
    """The very same request was taken already."""

    code = "chat-request-replayed"


class NotAForm(Invalid):
    """The body is no form, or one that two readers could understand differently."""

    code = "chat-form-malformed"
    status = HTTPStatus.BAD_REQUEST


class FormIncomplete(Invalid):
    """The form lacks what a request of the chat has, or holds what it never has."""

    code = "chat-form-incomplete"


class InteractionUnsupported(Invalid):
    """A person did something in the chat that nothing here is done about."""

    code = "chat-interaction-unsupported"


class WorkspaceNotFound(NotFound):
    """No workspace of that name for this tenant."""

    code = "chat-workspace-not-found"


class LinkNotFound(NotFound):
    """No such link of this person, or none that the caller may see."""

    code = "chat-link-not-found"


class UserNotLinked(Denied):
    """Nobody here is known to stand behind this user of the chat, or not any more."""

    code = "chat-user-not-linked"


class CodeRefused(Denied):
    """The code is not one that can be used: it never was, was used, or is too old."""

    code = "chat-code-refused"


class CommandUnknown(Invalid):
    """The words are no command, or not all of one."""

    code = "chat-command-unknown"


class ReplyRefused(Invalid):
    """The chat doesn't take the reply; sending it again would not help."""

    code = "chat-reply-refused"


class ReplyUndelivered(Unavailable):
    """The chat could not be told just now."""

    code = "chat-reply-undelivered"
