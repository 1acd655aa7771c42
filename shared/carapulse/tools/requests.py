"""From an action's HTTP part to a request: every value is encoded for the place it stands in."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from carapulse.tools.addresses import address_of
from carapulse.tools.commands import as_text
from carapulse.tools.credentials import Credentials
from carapulse.tools.errors import InputRefused
from carapulse.tools.manifest import HttpRun, Segment
from carapulse.tools.ports import Request
from carapulse.tools.templates import Scope, filled


def request_of(run: HttpRun, scope: Scope, credentials: Credentials, answer_bytes: int) -> Request:
    """Return the request. It may go to the connection's own address and to what the connection lists, nowhere else."""
    connection = credentials.connection
    body, content_type = _body(run, scope)
    headers = {**content_type, **_headers(run, scope), **credentials.texts(dict(connection.headers))}
    own = {address_of(connection.base_url)} if connection.base_url else set()
    return Request(
        method=run.method if isinstance(run.method, str) else as_text(scope.find(run.method.from_) or "GET"),
        url=_url(run, scope, connection.base_url),
        headers=tuple(headers.items()),
        body=body,
        may_reach=frozenset({*own, *(each.lower() for each in connection.may_reach)}),
        ca_file=connection.ca_file,
        answer_bytes=answer_bytes,
    )


def _url(run: HttpRun, scope: Scope, base_url: str | None) -> str:
    if run.url is not None:
        url = as_text(scope.find(run.url.from_))
        address_of(url)
        return url
    path = "/".join(piece for part in run.path for piece in _pieces(part, scope))
    query = [(name, as_text(each)) for name, value in filled(run.query, scope).items() for each in _listed(value)]
    return f"{base_url}/{path}" + (f"?{urlencode(query)}" if query else "")


def _pieces(part: str | Segment, scope: Scope) -> list[str]:
    if isinstance(part, str):
        return [part]
    value = scope.find(part.from_)
    pieces = as_text(value).split("/") if part.split and value is not None else [value]
    for piece in pieces:
        if piece in (None, "", ".", ".."):
            raise InputRefused("a part of the path is missing or leads elsewhere", value=part.from_)
    return [quote(as_text(piece), safe="") for piece in pieces]


def _headers(run: HttpRun, scope: Scope) -> dict[str, str]:
    headers = {name: as_text(value) for name, value in (filled(run.headers, scope) or {}).items()}
    for name, value in headers.items():
        if not value.isprintable() or not value.isascii():
            raise InputRefused("a header holds printable ASCII only", header=name)
    return headers


def _body(run: HttpRun, scope: Scope) -> tuple[bytes, dict[str, str]]:
    if run.form is not None:
        pairs = [(name, as_text(each)) for name, value in filled(run.form, scope).items() for each in _listed(value)]
        return urlencode(pairs).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if run.json_ is not None:
        return json.dumps(filled(run.json_, scope)).encode(), {"Content-Type": "application/json"}
    return b"", {}


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, list) else [value]
