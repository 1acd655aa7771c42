"""Where the two keys of an installation come from: files in the data directory, or a service that keeps them."""

from collections.abc import Iterable
from pathlib import Path

from carapulse.adapters.sealing import KEY_FILE, AesGcmSealer
from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.audit.keys import open_evidence_key
from carapulse.audit.note import EvidenceKey
from carapulse.audit.verifier import Key, UnusableError
from carapulse.identity.keyfile import read_private
from carapulse.kernel.errors import Invalid
from carapulse.settings import Settings
from carapulse.tools.errors import SecretMissing


def sealer_of(settings: Settings, secrets: LocalSecrets) -> AesGcmSealer:
    """Return what seals secrets; its keys are read now. Invalid for one that is not there, or is there twice."""
    place = settings.sealing_key
    newest = (
        AesGcmSealer.load_or_make(settings.data_dir)
        if place is None
        else _kept(place, "CARAPULSE_SEALING_KEY", settings, secrets)
    )
    listed = settings.former_sealing_keys
    former = [_kept(each, "CARAPULSE_FORMER_SEALING_KEYS", settings, secrets) for each in listed]
    _refuse_twice(zip([place or KEY_FILE, *listed], [newest, *former], strict=True))
    return newest.after(former)


def _kept(place: str, setting: str, settings: Settings, secrets: LocalSecrets) -> AesGcmSealer:
    """Return the sealer with the key at a place. A file in the data directory must be its owner's alone."""
    try:
        return AesGcmSealer.of(_read(place, settings, secrets), place)
    except SecretMissing as error:
        raise Invalid(f"{setting} names {place}: {error}") from error


def _read(place: str, settings: Settings, secrets: LocalSecrets) -> str:
    path = Path(place.removeprefix("file:"))
    try:
        if place.startswith("file:") and path.exists() and path.resolve().parent == settings.data_dir.resolve():
            return read_private(path).decode("ascii", errors="replace").rstrip("\r\n")
    except OSError as error:
        raise SecretMissing("a secret's file can't be read", reference=place) from error
    return secrets.read(place)


def _refuse_twice(named: Iterable[tuple[str, AesGcmSealer]]) -> None:
    """Raise Invalid, and name both places, where a key is in two of them: one of the two is meant to be another."""
    seen: dict[bytes, str] = {}
    for place, sealer in named:
        if sealer.key in seen:
            raise Invalid(f"CARAPULSE_FORMER_SEALING_KEYS: {place} holds the same key as {seen[sealer.key]}")
        seen[sealer.key] = place


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
