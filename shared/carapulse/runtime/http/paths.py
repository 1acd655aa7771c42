"""Which paths are whose, for all that looks at a request before it has a route."""

from starlette.types import Scope

GUARDED = "/v1/"
WEBHOOKS = "/v1/webhooks/"
CHATOPS = "/v1/chatops/"
SIGNED = (WEBHOOKS, CHATOPS)
"""Where every request is signed by its sender, instead of needing a bearer."""


def path_of(scope: Scope) -> str:
    """Return the path below the place where the application is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def source_of(path: str) -> str:
    """Return the source that a signed path names, `/v1/webhooks/<kind>/<source>`; empty if it names none."""
    return "/".join(path.split("/")[4:5])
