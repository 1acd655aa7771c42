"""carapulse plan approve, deny and revoke: one person's answer to exactly one version of a plan."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from carapulse.surfaces.cli.client import Answer, path_of
from carapulse.surfaces.cli.commands import asking
from carapulse.surfaces.cli.desk import Desk
from carapulse.surfaces.cli.errors import Misused
from carapulse.surfaces.cli.options import Digest, Note, PlanId
from carapulse.surfaces.cli.views.lists import answered_view
from carapulse.surfaces.cli.views.plans import plan_view
from carapulse.surfaces.cli.views.text import plain


@asking
def approve(
    desk: Desk,
    plan_id: PlanId,
    *,
    digest: Digest = None,
    note: Note = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask whether that is what you mean.")] = False,
) -> None:
    """Agree to a plan, exactly as it is shown: the answer names its digest, and counts for nothing else."""
    desk.show(_answer(desk, plan_id, "approved", (digest, note), yes=yes), answered_view)


@asking
def deny(
    desk: Desk,
    plan_id: PlanId,
    *,
    digest: Digest = None,
    note: Note = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask whether that is what you mean.")] = False,
) -> None:
    """Say no to a plan. One no is enough."""
    desk.show(_answer(desk, plan_id, "denied", (digest, note), yes=yes), answered_view)


@asking
def revoke(desk: Desk, plan_id: PlanId) -> None:
    """Withdraw the approval of a plan, also while it is being executed: nothing more is changed then."""
    desk.show(desk.api.post(path_of("plans", plan_id, verb="revoke")), answered_view)


def _answer(desk: Desk, plan_id: str, status: str, said: tuple[str | None, str | None], *, yes: bool) -> Answer:
    digest, note = said
    if digest is None and not (yes or desk.can_ask):
        raise Misused("nobody can be asked here: give --digest, or --yes for the plan as it is now")
    plan = desk.api.get(path_of("plans", plan_id))
    if digest is None:
        digest = _looked_at(desk, plan.body, status, yes=yes)
    body = {"plan_id": plan_id, "status": status, "digest": digest} | ({"note": note} if note else {})
    return desk.api.post("/v1/approvals", body, seen=plan.etag)


def _looked_at(desk: Desk, plan: Mapping[str, Any], status: str, *, yes: bool) -> str:
    """Return the digest of the plan as it is shown, if that is what the person means."""
    if not yes:
        desk.side.print(Group(plan_view(plan), Text(f"digest {plain(plan['digest'])}")))
        typer.confirm(f"Is exactly this {status}?", abort=True, err=True)
    return str(plan["digest"])
