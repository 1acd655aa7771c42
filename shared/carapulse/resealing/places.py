"""Every place of the database where sealed text is kept, and what it is sealed for there."""

from collections.abc import Mapping
from typing import Final

from carapulse.chatops.messages import TellChat
from carapulse.chatops.replying import address_purpose
from carapulse.chatops.usecases import purpose_of as workspace_purpose
from carapulse.idempotency.usecases import answer_purpose
from carapulse.intake.usecases import purpose_of as credential_purpose
from carapulse.notifications.usecases import secret_purpose, url_purpose
from carapulse.orchestration.messages import AttemptAsked, MachineAsked
from carapulse.orchestration.ringing import PURPOSE
from carapulse.resealing.model import Place


def _of_machine(_tenant: str, _row: Mapping[str, str]) -> str:
    return PURPOSE


PLACES: Final = {
    place.name: place
    for place in (
        Place(
            "source_credentials",
            ("id",),
            lambda tenant, row: credential_purpose(row["id"], row["source_id"], tenant),
            facts=("source_id",),
        ),
        Place(
            "idempotency_keys", ("actor", "key"), lambda tenant, row: answer_purpose(row["key"], row["actor"], tenant)
        ),
        Place("channels", ("id",), lambda tenant, row: url_purpose(row["id"], tenant)),
        Place(
            "channel_secrets",
            ("id",),
            lambda tenant, row: secret_purpose(row["id"], row["channel_id"], tenant),
            facts=("channel_id",),
        ),
        Place("chat_workspaces", ("id",), lambda tenant, row: workspace_purpose(row["id"], tenant)),
        Place("machine_waits", ("id",), _of_machine, "token"),
        Place(
            "messages",
            ("id",),
            lambda tenant, row: address_purpose(row["workspace_id"], tenant),
            "sealed_address",
            ("workspace_id",),
            TellChat.__name__,
        ),
        Place("messages", ("id",), _of_machine, "token", message=MachineAsked.__name__),
        Place("messages", ("id",), _of_machine, "token", message=AttemptAsked.__name__),
    )
}
