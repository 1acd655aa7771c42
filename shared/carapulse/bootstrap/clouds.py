"""What a cloud does for an installation that chose it: broker, state machine, blobs, secrets.

Each is imported where it is chosen: it takes longer to import than everything else together.
"""

from collections.abc import Callable, Mapping
from functools import cache

from carapulse.adapters.files.blobs import FileBlobs
from carapulse.adapters.vault.proving import Login, Proof, TokenFile
from carapulse.adapters.vault.secrets import VaultSecrets
from carapulse.adapters.vault.speaking import Vault
from carapulse.adapters.web.client import HttpxWeb
from carapulse.broker.ports import Broker
from carapulse.kernel.blobs import Blobs
from carapulse.kernel.errors import Invalid
from carapulse.orchestration.ports import Machines
from carapulse.settings import Settings
from carapulse.tools.errors import SecretMissing

_CLOUD_STORAGE = "gs://"


def broker_of(settings: Settings) -> Broker | None:
    """Return who brings messages, or None where workers take them from the database."""
    if settings.queue == "sqs":
        from carapulse.adapters.aws.sqs import Sqs  # noqa: PLC0415

        return Sqs.connect(settings.queue_addresses)
    if settings.queue == "pubsub":
        from carapulse.adapters.gcp.pubsub import PubSub  # noqa: PLC0415

        return PubSub.connect(settings.queue_addresses)
    return None


def machines_of(settings: Settings) -> Machines | None:
    """Return the state machines that carry changes, or None where messages do that alone."""
    if settings.state_machine is None:
        return None
    from carapulse.adapters.aws.step_functions import StepFunctions  # noqa: PLC0415

    return StepFunctions.connect(settings.state_machine)


def blobs_of(settings: Settings) -> Blobs:
    """Return where blobs are kept."""
    bucket = settings.blobs_bucket
    if bucket is None:
        return FileBlobs(settings.blobs_dir or settings.data_dir / "blobs")
    if bucket.startswith(_CLOUD_STORAGE):
        from carapulse.adapters.gcp.storage import GoogleBlobs  # noqa: PLC0415

        return GoogleBlobs.connect(bucket.removeprefix(_CLOUD_STORAGE))
    from carapulse.adapters.aws.s3 import S3Blobs  # noqa: PLC0415

    return S3Blobs.connect(bucket)


def secret_stores(settings: Settings) -> Mapping[str, Callable[[str], str]]:
    """Return what reads `STORE:PLACE`, by the store; each is connected when it is first asked."""
    amazon, google = cache(_amazon), cache(_google)

    def from_amazon(place: str) -> str:
        return amazon()(place)

    def from_google(place: str) -> str:
        return google()(place)

    return {"aws": from_amazon, "gcp": from_google, "vault": _vault(settings)}


def _amazon() -> Callable[[str], str]:
    from carapulse.adapters.aws.secrets import ManagedSecrets  # noqa: PLC0415

    return ManagedSecrets.connect().read


def _google() -> Callable[[str], str]:
    from carapulse.adapters.gcp.secrets import GoogleSecrets  # noqa: PLC0415

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
