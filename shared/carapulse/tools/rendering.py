"""A use of an action as the program or the request that it would be, with every secret left out."""

import json
from typing import Literal, Self

from pydantic import Field

from carapulse.kernel.record import Record
from carapulse.tools.catalogue import Catalogue, scope_of
from carapulse.tools.commands import command_of
from carapulse.tools.connections import Connections
from carapulse.tools.credentials import Credentials
from carapulse.tools.errors import ConnectionForbids
from carapulse.tools.manifest import HttpRun, ProgramRun
from carapulse.tools.model import Invocation
from carapulse.tools.ports import Command, Request
from carapulse.tools.redaction import REDACTED, Redactor
from carapulse.tools.requests import request_of
from carapulse.tools.templates import Scope


class NoSecrets:
    """Stands where secrets are read, and reads none: what comes of it can be shown."""

    def read(self, reference: str) -> str:  # noqa: ARG002 - whichever it is
        """Return what is shown in place of a secret."""
        return REDACTED

    def generate(self, characters: int) -> str:  # noqa: ARG002 - however long it were
        """Return what is shown in place of a new secret."""
        return REDACTED

    def keep(self, folder: str, name: str, value: str) -> str:  # noqa: ARG002 - nothing is made
        """Refuse: there is nothing to keep of what is only looked at."""
        raise ConnectionForbids("nothing is kept of what is only looked at", folder=folder, name=name)


class ProgramShown(Record):
    """The program that would be started. Of its environment only the names are told."""

    kind: Literal["program"] = "program"
    program: str
    arguments: tuple[str, ...]
    environment: tuple[str, ...]
    files: dict[str, str]

    @classmethod
    def of(cls, command: Command, redactor: Redactor) -> Self:
        """Return what may be shown of a command."""
        return cls(
            program=command.program,
            arguments=tuple(redactor.text(each) for each in command.arguments),
            environment=tuple(sorted(command.environment)),
            files={name: redactor.text(text) for name, text in command.files.items()},
        )


class RequestShown(Record):
    """The request that would be sent."""

    kind: Literal["http"] = "http"
    method: str
    url: str
    headers: dict[str, str]
    body: str
    prior: "RequestShown | None" = Field(None, description="what is read just before; it is made of the answer, too")

    @classmethod
    def of(cls, request: Request, redactor: Redactor, prior: Self | None) -> Self:
        """Return what may be shown of a request."""
        return cls(
            method=request.method,
            url=redactor.text(request.url),
            headers={name: redactor.value({name: value})[name] for name, value in request.headers},
            body=_body(request, redactor),
            prior=prior,
        )


Rendered = ProgramShown | RequestShown


def rendered(invocation: Invocation, catalogue: Catalogue, connections: Connections) -> Rendered:
    """Return what would be run, through the connection that fits; raises what would keep it from being run."""
    action = catalogue.action(invocation.tool, invocation.action)
    connection = connections.choose(invocation.tool, invocation.tenant, invocation.context)
    credentials = Credentials(connection, NoSecrets())
    scope = scope_of(invocation, connection=credentials.settings(), secret=credentials.secret)
    redactor = Redactor((), action.redact)
    if isinstance(action.run, ProgramRun):
        always = catalogue.manifests[invocation.tool].always
        return ProgramShown.of(command_of(action.run, always, scope, credentials, action.output), redactor)
    return _request(action.run, scope, credentials, redactor)


def _request(run: HttpRun, scope: Scope, credentials: Credentials, redactor: Redactor) -> RequestShown:
    prior = None if run.prior is None else _request(run.prior, scope, credentials, redactor)
    return RequestShown.of(request_of(run, scope, credentials, 0), redactor, prior)


def _body(request: Request, redactor: Redactor) -> str:
    text = request.body.decode()
    is_json = ("Content-Type", "application/json") in request.headers
    return json.dumps(redactor.value(json.loads(text)), ensure_ascii=False) if is_json else redactor.text(text)
