"""Where the two keys of an installation come from: files in the data directory, or a service that keeps them."""

from carapulse.adapters.sealing import AesGcmSealer
from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.audit.keys import open_evidence_key
from carapulse.audit.note import EvidenceKey
from carapulse.audit.verifier import Key, UnusableError
from carapulse.kernel.errors import Invalid
from carapulse.settings import Settings
from carapulse.tools.errors import SecretMissing


def sealer_of(settings: Settings, secrets: LocalSecrets) -> AesGcmSealer:
    """Return what seals secrets; its key is read now. Invalid where the one that is named is not there."""
    place = settings.sealing_key
    if place is None:
        return AesGcmSealer.load_or_make(settings.data_dir)
    try:
        return AesGcmSealer.of(secrets.read(place), place)
    except SecretMissing as error:
        raise Invalid(f"CARAPULSE_SEALING_KEY is {place}: {error}") from error


def evidence_key_of(settings: Settings) -> EvidenceKey:
    """Return what signs evidence; a key service is not asked yet."""
    if settings.evidence_key is None:
        return open_evidence_key(settings.data_dir)
    from carapulse.adapters.aws.kms import KmsKey

    return KmsKey.connect(settings.evidence_key.removeprefix("kms:"))


def former_keys_of(settings: Settings) -> tuple[Key, ...]:
    """Return the keys that this installation had before; raises Invalid for what is no verifier key."""
    try:
        return tuple(Key.parse(each) for each in settings.former_evidence_keys)
    except UnusableError as error:
        raise Invalid(f"CARAPULSE_FORMER_EVIDENCE_KEYS: {error}") from error
