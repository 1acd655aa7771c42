"""What the minute's work does for the database: make room ahead, and let go what is older than the operator wants."""

from collections.abc import Sequence
from datetime import timedelta

from carapulse.audit.archiving import archive_events
from carapulse.kernel.call import Call
from carapulse.observe import get_logger
from carapulse.retention.ports import RetentionPorts, Steps

log = get_logger(__name__)
_IN_USE = timedelta(days=1)  # a blob that was put again since may be named by a row that is not committed yet


def make_room(call: Call, ports: RetentionPorts) -> Sequence[str]:
    """Make the partitions that will be needed soon; repeated, it finds nothing to do.

    Returns the tables with rows that came before their partition was made: nothing is lost, but those rows never go.
    """
    with ports.begin(call) as work:
        strays = work.room.make_partitions()
    if strays:
        log.error("rows_without_partition", tables=list(strays))
    return strays


def let_old_go(call: Call, ports: RetentionPorts) -> None:
    """Let go what is older than the settings keep: keys, lines, outputs, messages, and events, which are archived.

    Counts of those who ask no more go too, which hold for a minute, what is over in chats, and messages to channels
    that are done with.
    """
    days = ports.settings
    with ports.begin(call) as work:
        work.room.drop_idle_rates()
        work.room.drop_channel_deliveries(ports.clock.now() - timedelta(days=days.deliveries_retention_days))
        work.room.drop_old_chat()
    _drop_keys(days.idempotency_hours, call, ports)
    _drop_steps("step_lines", days.lines_retention_days, call, ports)
    _drop_steps("step_outputs", days.outputs_retention_days, call, ports)
    _drop_dead_letters(days.dead_letters_retention_days, call, ports)
    if days.events_retention_days is not None:
        archive_events(ports.clock.now() - timedelta(days=days.events_retention_days), call, ports)


def _drop_steps(table: Steps, days: int | None, call: Call, ports: RetentionPorts) -> None:
    """Drop partitions first and their blobs after: a crash between leaves blobs too many, never too few."""
    if days is None:
        return
    now = ports.clock.now()
    with ports.begin(call) as work:
        gone = work.room.drop_old_steps(table, now - timedelta(days=days))
    for each in gone:
        for digest in each.blobs:
            ports.blobs.delete(digest, put_before=now - _IN_USE)
        log.info("partition_dropped", partition=each.partition, blobs=len(each.blobs))


def _drop_dead_letters(days: int | None, call: Call, ports: RetentionPorts) -> None:
    if days is None:
        return
    with ports.begin(call) as work:
        count = work.room.drop_dead_letters(ports.clock.now() - timedelta(days=days))
    if count:
        log.info("dead_letters_dropped", count=count)


def _drop_keys(hours: int, call: Call, ports: RetentionPorts) -> None:
    with ports.begin(call) as work:
        count = work.room.drop_idempotency_keys(timedelta(hours=hours))
    if count:
        log.info("idempotency_keys_dropped", count=count)
