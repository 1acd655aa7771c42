"""What ends a command before it is done. Each knows its exit code and what to show."""

from typing import Any

from carapulse.surfaces.cli.exits import ExitCode, of_status


class CommandError(Exception):
    """The command can't be carried out."""

    def __init__(self, detail: str, code: ExitCode) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


class Refused(CommandError):  # noqa: N818 - the suffix would add nothing
    """The API answered with a problem (RFC 9457)."""

    def __init__(self, status: int, body: dict[str, Any], text: str) -> None:
        super().__init__(str(body.get("detail") or body.get("title") or f"HTTP {status}"), of_status(status))
        self.status = status
        self.body = body
        self.text = text


class Unanswered(CommandError):  # noqa: N818 - as above
    """Nobody answered, or not in Carapulse's language."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, ExitCode.UNAVAILABLE)


class NotLoggedIn(CommandError):  # noqa: N818 - as above
    """There is no login that could be used, or its issuer gave none."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, ExitCode.UNAUTHENTICATED)


class Misused(CommandError):  # noqa: N818 - as above
    """What was given on the command line or in a file can't be used."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, ExitCode.INVALID)
