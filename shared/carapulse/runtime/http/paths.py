"""Which paths are whose, for all that looks at a request before it has a route."""

from starlette.types import Scope

GUARDED = "/v1/"
SIGNED = "/v1/webhooks/"


def path_of(scope: Scope) -> str:
    """Return the path below the place where the application is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def source_of(path: str) -> str:
    """Return the source that a webhook's path names, `/v1/webhooks/<kind>/<source>`; empty if it names none."""
    return path.removeprefix(SIGNED).partition("/")[2].partition("/")[0]
