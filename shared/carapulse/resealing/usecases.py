"""Sealing anew. It can be stopped at any moment, and goes on where it was: what is done says so by itself."""

from typing import Final

from carapulse.kernel.call import Call
from carapulse.kernel.errors import Unavailable
from carapulse.observe import get_logger
from carapulse.resealing.events import SecretsResealed
from carapulse.resealing.model import Place, Resealed, sealed_by_others
from carapulse.resealing.places import PLACES
from carapulse.resealing.ports import ResealingPorts, ResealingWork, SealedRow

log = get_logger(__name__)
STREAM: Final = "sealing"
"""The stream of each tenant in which it is told."""

_AT_ONCE: Final = 100


def reseal_everything(call: Call, ports: ResealingPorts) -> Resealed:
    """Seal everything by the newest key that another one sealed, and return what still needs a former key.

    Rows that somebody works on are passed over, and are among those that are left: ask again.
    """
    resealed = unreadable = 0
    others = {(each.tenant, each.place) for each in sealed_by_others(ports.sealer.newest, ports.sealing_book.kept())}
    for tenant, place in sorted(others):
        done, faulty = _reseal(PLACES[place], call.model_copy(update={"tenant": tenant}), ports)
        resealed, unreadable = resealed + done, unreadable + faulty
    kept = ports.sealing_book.kept()
    return Resealed.of(ports.sealer.newest, ports.sealer.former_ids, (resealed, unreadable), kept)


def _reseal(place: Place, call: Call, ports: ResealingPorts) -> tuple[int, int]:
    """Seal one tenant's rows of one place anew, a few in each transaction; return how many, and how many don't open."""
    resealed, unreadable = 0, 0
    last: SealedRow | None = None
    while True:
        with ports.begin(call) as work:
            rows = work.sealed_rows.others(place, ports.sealer.prefix, last, _AT_ONCE)
            done = sum(_reseal_row(row, place, call.tenant, work, ports) for row in rows)
            if done:
                work.record(STREAM, SecretsResealed(place=place.name, rows=done, key=ports.sealer.newest))
        resealed, unreadable = resealed + done, unreadable + len(rows) - done
        if len(rows) < _AT_ONCE:
            break
        last = rows[-1]
    log.info("secrets_resealed", place=place.name, rows=resealed, unreadable=unreadable)
    return resealed, unreadable


def _reseal_row(row: SealedRow, place: Place, tenant: str, work: ResealingWork, ports: ResealingPorts) -> bool:
    """Seal one row anew; False for one that no key opens, which is not to keep all others from it."""
    purpose = place.purpose(tenant, row.facts)
    try:
        plain = ports.sealer.open(row.sealed, purpose)
    except Unavailable as problem:
        log.warning("secret_not_opened", place=place.name, row=dict(row.facts), detail=problem.detail)
        return False
    work.sealed_rows.replace(place, row, ports.sealer.seal(plain, purpose))
    return True
