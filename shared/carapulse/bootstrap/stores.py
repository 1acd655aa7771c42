"""Where secrets are read from. A client of a cloud is imported when it is first asked: it takes long to import."""

from collections.abc import Callable, Mapping
from functools import cache

from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.adapters.vault.proving import Login, Proof, TokenFile
from carapulse.adapters.vault.secrets import VaultSecrets
from carapulse.adapters.vault.speaking import Vault
from carapulse.adapters.web.client import HttpxWeb
from carapulse.kernel.errors import Invalid
from carapulse.settings import Settings, environment
from carapulse.tools.errors import SecretMissing


def secrets_of(settings: Settings) -> LocalSecrets:
    """Return what reads secrets by reference; a store is asked at each use."""
    return LocalSecrets(environment(), secret_stores(settings))


def secret_stores(settings: Settings) -> Mapping[str, Callable[[str], str]]:
    """Return what reads `STORE:PLACE`, by the store; each is connected when it is first asked."""
    amazon, google = cache(_amazon), cache(_google)

    def from_amazon(place: str) -> str:
        return amazon()(place)

    def from_google(place: str) -> str:
        return google()(place)

    return {"aws": from_amazon, "gcp": from_google, "vault": _vault(settings)}


def _amazon() -> Callable[[str], str]:
    from carapulse.adapters.aws.secrets import ManagedSecrets

    return ManagedSecrets.connect().read


def _google() -> Callable[[str], str]:
    from carapulse.adapters.gcp.secrets import GoogleSecrets

    return GoogleSecrets.connect().read


def _vault(settings: Settings) -> Callable[[str], str]:
    if settings.vault_url is None:
        return _no_vault
    ca_file = None if settings.vault_ca_file is None else str(settings.vault_ca_file)
    vault = Vault(HttpxWeb(), settings.vault_url, settings.vault_namespace, ca_file)
    return VaultSecrets(vault, _proof(settings, vault)).read


def _proof(settings: Settings, vault: Vault) -> Proof:
    match settings.vault_auth, settings.vault_role, settings.vault_proof_file:
        case "token", None, file if file is not None:
            return TokenFile(file)
        case ("kubernetes" | "approle") as method, str(role), file if file is not None:
            return Login(vault, method, role, file, settings.vault_mount or method)
        case _:
            raise Invalid("Vault is named, and not how it is to know us")


def _no_vault(place: str) -> str:
    raise SecretMissing("there is no Vault: CARAPULSE_VAULT_URL names none", reference=f"vault:{place}")
