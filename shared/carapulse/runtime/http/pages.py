"""The API described for people: Swagger UI over /openapi.json, its files out of an installed package.

The few lines that start it are a file too: a page without scripts of its own can have a strict policy.
"""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from carapulse.runtime.http.errors import NoSuchRoute

_FILES: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Carapulse API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/begin.js"></script>
</body>
</html>
"""
_BEGIN: Final = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#docs", deepLinking: true, docExpansion: "none", filter: true, tryItOutEnabled: false,
});
"""
_HEADERS: Final = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> Response:
    """Show the API to people."""
    return HTMLResponse(_PAGE, headers=_HEADERS)


@router.get("/docs/{name}")
def docs_file(name: str) -> Response:
    """Return one of the files that the page is made of."""
    if name == "begin.js":
        return Response(_BEGIN, media_type="text/javascript", headers=_HEADERS)
    if name not in _FILES:
        raise NoSuchRoute("there is nothing under this path")
    content = files("fastapi_swagger.resources").joinpath(name).read_bytes()
    return Response(content, media_type=_FILES[name], headers=_HEADERS)
