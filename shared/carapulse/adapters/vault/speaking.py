"""One exchange with a Vault: JSON over HTTP, one deadline, no redirects."""

import json
import threading
from dataclasses import dataclass
from typing import Any, Final

from carapulse.kernel.errors import Problem
from carapulse.tools.addresses import address_of
from carapulse.tools.errors import SecretStoreAway
from carapulse.tools.ports import Request, Web

_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Said:
    """What Vault answered."""

    status: int
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Vault:
    """A server at its address, and within it a namespace."""

    web: Web
    url: str
    namespace: str | None = None
    ca_file: str | None = None

    def ask(self, method: str, path: str, *, token: str | None = None, body: dict[str, str] | None = None) -> Said:
        """Return the answer, whatever it says; SecretStoreAway if there is none."""
        url = f"{self.url.rstrip('/')}/v1/{path}"
        named = {"X-Vault-Request": "true", "X-Vault-Token": token, "X-Vault-Namespace": self.namespace}
        request = Request(
            method=method,
            url=url,
            headers=tuple((name, each) for name, each in named.items() if each is not None),
            body=b"" if body is None else json.dumps(body).encode(),
            may_reach=frozenset({address_of(url)}),
            ca_file=self.ca_file,
        )
        try:
            answer = self.web.send(request, cancelled=threading.Event(), deadline_s=_PATIENCE_S)
        except Problem as error:
            raise SecretStoreAway("Vault could not be asked") from error
        if answer.status is None:
            raise SecretStoreAway("Vault did not answer", why=answer.lost)
        return Said(answer.status, _object(answer.body))


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
