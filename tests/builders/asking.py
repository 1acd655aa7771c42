"""One question to one server that answers as prepared."""

from typing import Any

from tests.builders.tools import (
    Answers,
    Exchange,
    Runs,
    a_connection,
    a_server,
    a_toolbox,
    an_invocation,
)

from carapulse.tools.model import Outcome


def asked(name: str, value: dict[str, Any], answers: Answers, **fields: Any) -> tuple[Outcome, list[Exchange]]:
    """Return what came of an action, and what the server was asked."""
    tool = name.split(".", maxsplit=1)[0]
    settings, deadline_s = fields.pop("settings", {}), fields.pop("deadline_s", 10)
    with a_server(answers) as server:
        connection = a_connection(
            tool,
            base_url=server.url + fields.pop("under", ""),
            headers={"Authorization": {"secret": "env:TOKEN", "prefix": "Bearer "}},
            settings=settings,
        )
        run = Runs(a_toolbox(connection, environment={"TOKEN": "s3cret-token"}))
        return run(an_invocation(name, value, **fields), deadline_s=deadline_s), server.exchanges
