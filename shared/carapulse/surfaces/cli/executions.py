"""carapulse execution: follow what is being done, and steer it."""

import json
from typing import Annotated

import typer

from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.events import follow
from carapulse.surfaces.cli.options import Cursor, ExecutionId, Limit, said
from carapulse.surfaces.cli.views.executions import execution_view, executions_view
from carapulse.surfaces.cli.views.logs import line_of
from carapulse.surfaces.cli.watching import end_with, watch
from carapulse.surfaces.cli.wishes import cancel, pause, resolve, resume, retry, undo

app = typer.Typer(no_args_is_help=True, help="Follow what is being done, and steer it.")
for command in (pause, resume, retry, resolve, cancel, undo):
    app.command(command.__name__)(command)


@app.command("get")
@asking
def get(desk: Desk, execution_id: ExecutionId) -> None:
    """Show an execution with all its steps."""
    desk.show(desk.api.get(path_of("executions", execution_id)), execution_view)


@app.command("list")
@asking
def list_all(
    desk: Desk,
    *,
    plan: Annotated[str | None, said("Only of this plan.", "--plan")] = None,
    status: Annotated[str | None, said("Only these.", "--status")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> None:
    """List executions, the newest first."""
    desk.show(desk.api.get("/v1/executions", plan_id=plan, status=status, limit=limit, cursor=cursor), executions_view)


@app.command("watch")
@asking
def watch_one(desk: Desk, execution_id: ExecutionId) -> None:
    """Follow an execution to its end; the exit code says how it ended."""
    end_with(watch(desk, execution_id))


@app.command("logs")
@asking
def logs(
    desk: Desk,
    execution_id: ExecutionId,
    step: Annotated[str | None, said("Only of this step.", "--step")] = None,
) -> None:
    """Follow the lines that tools write, until the execution is over. A lost connection is taken up again."""
    for event in follow(desk.api, path_of("executions", execution_id, "logs")):
        if event.kind != "log" or (step and json.loads(event.data).get("step_id") != step):
            continue
        if desk.as_json:
            desk.write(event.data)
        else:
            desk.console.print(line_of(event.data), soft_wrap=True)
