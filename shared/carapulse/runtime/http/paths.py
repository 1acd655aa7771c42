"""Which paths are whose, for all that looks at a request before it has a route."""

from starlette.types import Scope

GUARDED = "/v1/"
WEBHOOKS = "/v1/webhooks/"
CHATOPS = "/v1/chatops/"
SIGNED = (WEBHOOKS, CHATOPS)
"""Where every request is signed by its sender, instead of needing a bearer."""


def path_of(scope: Scope) -> str:
    """Return the path below the place where the application is mounted, as the framework takes it.

    A place ends where a word of the path does: told apart otherwise, a path would be guarded as another than is served.
    """
    path: str = scope["path"]
    below = path.removeprefix(scope.get("root_path", ""))
    return below if below.startswith("/") or not below else path


def source_of(path: str) -> str:
    """Return the source that a signed path names, `/v1/webhooks/<kind>/<source>`; empty if it names none."""
    return "/".join(path.split("/")[4:5])
