"""carapulse queue: what was given up, and why; try it again, or throw it away."""

from typing import Annotated

import typer

from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import Cursor, Limit, said
from carapulse.surfaces.cli.views.lists import dead_letters_view, record_view

app = typer.Typer(no_args_is_help=True, help="What was given up, and why; try it again, or throw it away.")

MessageId = Annotated[str, typer.Argument(metavar="MESSAGE", help="The message's id.", show_default=False)]
Why = Annotated[str, said("Why, in your words; kept in the log.", "--note")]


@app.command("dead")
@asking
def list_dead(
    desk: Desk,
    queue: Annotated[str | None, said("Of this queue only.", "--queue")] = None,
    kind: Annotated[str | None, said("Of this type of message only.", "--type")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> None:
    """List messages that were given up, the last first."""
    desk.show(desk.api.get("/v1/dead-letters", queue=queue, type=kind, limit=limit, cursor=cursor), dead_letters_view)


@app.command("show")
@asking
def show(desk: Desk, message_id: MessageId) -> None:
    """Show a message that was given up: what it asks for, and why nobody could do it."""
    desk.show(desk.api.get(path_of("dead-letters", message_id)), record_view)


@app.command("replay")
@asking
def replay(desk: Desk, message_id: MessageId, note: Why) -> None:
    """Put a message back into its queue. What has been done about it meanwhile is not done again."""
    desk.show(desk.api.post(path_of("dead-letters", message_id, verb="replay"), {"note": note}), record_view)


@app.command("discard")
@asking
def discard(desk: Desk, message_id: MessageId, note: Why) -> None:
    """Throw a message away for good; the log keeps that it was there."""
    desk.show(desk.api.post(path_of("dead-letters", message_id, verb="discard"), {"note": note}), record_view)
