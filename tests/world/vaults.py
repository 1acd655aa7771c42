"""Stores of secrets, each put into the same situations: a secret, a new one, a wall, a crowd, silence."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from tests.builders.tools import Reply, a_server
from tests.world.aws import an_amazon
from tests.world.bao import ROOT, Bao, a_bao
from tests.world.google import Google, a_google

from carapulse.adapters.aws.secrets import ManagedSecrets
from carapulse.adapters.gcp.secrets import GoogleSecrets
from carapulse.adapters.vault.proving import TokenFile
from carapulse.adapters.vault.secrets import VaultSecrets
from carapulse.adapters.vault.speaking import Vault
from carapulse.adapters.web.client import HttpxWeb

Read = Callable[[str], str]
NOWHERE = "http://127.0.0.1:1"


@dataclass
class Amazon:
    """Secrets Manager as moto keeps it; what moto can't refuse, another server does in Amazon's words."""

    client: Any
    kind = "aws"
    _ends: ExitStack = field(default_factory=ExitStack)

    def put(self, name: str, text: str) -> str:
        try:
            self.client.create_secret(Name=name, SecretString=text)
        except self.client.exceptions.ResourceExistsException:
            self.client.put_secret_value(SecretId=name, SecretString=text)
        return name

    def place(self, name: str) -> str:
        return name

    def reader(self) -> Read:
        return ManagedSecrets.connect().read

    def forbidding(self) -> Read:
        return self._refusing("AccessDeniedException")

    def crowded(self) -> Read:
        return self._refusing("ThrottlingException")

    def away(self) -> Read:
        return self._at(NOWHERE)

    def _refusing(self, said: str) -> Read:
        reply = Reply({"__type": said, "message": "no"}, 400, {"Content-Type": "application/x-amz-json-1.1"})
        return self._at(self._ends.enter_context(a_server(lambda _: reply)).url)

    def _at(self, url: str) -> Read:
        before = os.environ["AWS_ENDPOINT_URL"]
        os.environ["AWS_ENDPOINT_URL"] = url
        try:
            return ManagedSecrets.connect().read
        finally:
            os.environ["AWS_ENDPOINT_URL"] = before

    def close(self) -> None:
        self._ends.close()


@dataclass
class SecretManager:
    """Google's."""

    google: Google
    kind = "gcp"

    def put(self, name: str, text: str) -> str:
        self.google.secrets.setdefault(self.place(name), []).append(text.encode())
        return self.place(name)

    def place(self, name: str) -> str:
        return f"acme/{name}"

    def reader(self) -> Read:
        self.google.failing = None
        return GoogleSecrets.connect(self.google.url).read

    def forbidding(self) -> Read:
        return self._failing(403, "Permission 'secretmanager.versions.access' denied")

    def crowded(self) -> Read:
        return self._failing(429, "Quota exceeded")

    def away(self) -> Read:
        return GoogleSecrets.connect(NOWHERE).read

    def _failing(self, status: int, said: str) -> Read:
        read = self.reader()
        self.google.failing = status, said
        return read


@dataclass
class KeyValue:
    """Vault's key-value engine, of a real server."""

    bao: Bao
    folder: Path
    kind = "vault"

    def put(self, name: str, text: str) -> str:
        self.bao.post(f"secret/data/{name}", {"data": json.loads(text)})
        return self.place(name)

    def place(self, name: str) -> str:
        return f"secret/{name}"

    def reader(self) -> Read:
        self.bao.http.delete("sys/quotas/rate-limit/crowd")
        return self._by(ROOT)

    def forbidding(self) -> Read:
        token: str = self.bao.post("auth/token/create", {"policies": ["default"]})["auth"]["client_token"]
        return self._by(token)

    def crowded(self) -> Read:
        self.bao.post("sys/quotas/rate-limit/crowd", {"path": "secret", "rate": 0.001, "interval": "1h"})
        read = self._by(ROOT)
        self.bao.http.get("secret/data/database")
        return read

    def away(self) -> Read:
        return self._by(ROOT, NOWHERE)

    def _by(self, token: str, url: str | None = None) -> Read:
        file = self.folder / "token"
        file.write_text(f"{token}\n")
        return VaultSecrets(Vault(HttpxWeb(), url or self.bao.url), TokenFile(file)).read


@contextmanager
def amazon(_folder: Path) -> Iterator[Amazon]:
    with an_amazon():
        store = Amazon(boto3.client("secretsmanager"))
        yield store
        store.close()


@contextmanager
def google(folder: Path) -> Iterator[SecretManager]:
    with a_google(folder) as found:
        yield SecretManager(found)


@contextmanager
def vault(folder: Path) -> Iterator[KeyValue]:
    with a_bao(folder) as bao:
        yield KeyValue(bao, folder)


STORES: dict[str, Callable[[Path], AbstractContextManager[Any]]] = {"aws": amazon, "gcp": google, "vault": vault}
