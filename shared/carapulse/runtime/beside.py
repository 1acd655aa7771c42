"""What is done about sealing keys beside the program, or while it rests where it has a database of its own."""

from contextlib import ExitStack
from pathlib import Path

from carapulse.adapters.embedded.postgres import has_cluster
from carapulse.adapters.sealing import KEY_FILE, AesGcmSealer, new_key
from carapulse.bootstrap.keys import sealer_of
from carapulse.bootstrap.stores import secrets_of
from carapulse.identity.keyfile import keep_once
from carapulse.kernel.errors import Invalid
from carapulse.kernel.record import Record
from carapulse.resealing.model import Resealed
from carapulse.runtime.local import embedded_database
from carapulse.runtime.resealing import reseal_installation
from carapulse.settings import Settings, load_settings


class RenewedKey(Record):
    """A new sealing key that nothing uses yet, and what the settings list until it is the newest, and then."""

    place: str
    key: str
    former_first: tuple[str, ...]
    former_then: tuple[str, ...]


def reseal_here(settings: Settings) -> Resealed:
    """Seal everything anew in the database that the settings name; Conflict if its program runs and it is embedded.

    Raises Invalid where a key or a database would be made: an empty one needs no key, and the one that is meant does.
    """
    folder = settings.data_dir.resolve()
    if settings.sealing_key is None:
        _own(folder)
    if settings.database_url is None and not has_cluster(folder):
        raise Invalid("neither is there a database in this data directory, nor is one named", data_dir=str(folder))
    with ExitStack() as parts:
        address = settings.database_url or parts.enter_context(embedded_database(settings))
        return reseal_installation(settings, address)


def renew_sealing(settings: Settings) -> RenewedKey:
    """Make a new sealing key in a file of the data directory that its owner alone can read. No other file changes."""
    folder = settings.data_dir.resolve()
    now = settings.sealing_key or _own(folder)
    sealer_of(settings, secrets_of(settings))  # keys that start no process now are nothing to go on with
    text = new_key()
    key = AesGcmSealer.of(text.decode(), "a new key").newest
    path = folder / f"{KEY_FILE}-{key}"
    place, former = f"file:{path}", settings.former_sealing_keys
    renewed = RenewedKey(place=place, key=key, former_first=(place, *former), former_then=(now, *former))
    _refuse_unusable(renewed)
    keep_once(path, text)
    return renewed


def _refuse_unusable(renewed: RenewedKey) -> None:
    """Raise Invalid for what the settings would refuse: a path with a space, or more former keys than they list."""
    for former in (renewed.former_first, renewed.former_then):
        load_settings(sealing_key=renewed.place, former_sealing_keys=former)


def _own(folder: Path) -> str:
    path = folder / KEY_FILE
    if not path.is_file():
        raise Invalid("there is no sealing key in this data directory", data_dir=str(folder))
    return f"file:{path}"
