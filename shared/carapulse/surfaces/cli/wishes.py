"""carapulse execution pause, resume, retry, resolve, cancel and undo: what can be asked of what is being done."""

from typing import Annotated, Any

import typer

from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.options import ExecutionId, Note
from carapulse.surfaces.cli.views.lists import record_view
from carapulse.surfaces.cli.views.plans import plan_view

StepId = Annotated[str, typer.Argument(metavar="STEP", help="The step's id.", show_default=False)]
Reason = Annotated[str, typer.Option("--note", help="Why, in your words; kept with it.", show_default=False)]


@asking
def pause(desk: Desk, execution_id: ExecutionId, *, note: Note = None) -> None:
    """Let what runs be finished, and begin nothing more."""
    _ask(desk, execution_id, "pause", note=note)


@asking
def resume(desk: Desk, execution_id: ExecutionId, *, note: Note = None) -> None:
    """Go on with what is paused."""
    _ask(desk, execution_id, "resume", note=note)


@asking
def retry(desk: Desk, execution_id: ExecutionId, step_id: StepId, *, note: Reason) -> None:
    """Try a failed step again, in an execution that waits for a person."""
    _ask(desk, execution_id, "retry", step_id=step_id, note=note)


@asking
def resolve(
    desk: Desk,
    execution_id: ExecutionId,
    step_id: StepId,
    *,
    done: Annotated[bool, typer.Option("--done/--not-done", help="Whether the effect is there.", show_default=False)],
    note: Reason,
) -> None:
    """Say whether the effect took place of a step that nobody can tell of: look first, then say what you saw."""
    _ask(desk, execution_id, "resolve", step_id=step_id, done=done, note=note)


@asking
def cancel(
    desk: Desk,
    execution_id: ExecutionId,
    *,
    undo: Annotated[
        bool | None,
        typer.Option(
            "--undo/--no-undo",
            help="Whether what was done is taken back; by default yes, but not of a run that goes back.",
        ),
    ] = None,
    note: Note = None,
) -> None:
    """Stop an execution."""
    _ask(desk, execution_id, "cancel", undo=undo, note=note)


@asking
def undo(desk: Desk, execution_id: ExecutionId, *, note: Note = None) -> None:
    """Plan the way back from an execution that is over; the plan is answered and executed like any other."""
    body = {"note": note} if note else None
    desk.show(desk.api.post(path_of("executions", execution_id, verb="undo"), body), plan_view)


def _ask(desk: Desk, execution_id: str, verb: str, **said: Any) -> None:  # noqa: ANN401 - any JSON value
    body = {name: value for name, value in said.items() if value is not None}
    desk.show(desk.api.post(path_of("executions", execution_id, verb=verb), body), record_view)
