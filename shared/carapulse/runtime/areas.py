"""Which areas take part: their routes and their message handlers."""

from carapulse.runtime.dispatch import Dispatcher
from carapulse.runtime.http.lazily import Area, Areas
from carapulse.settings import Orchestrator

ROUTERS = Areas(
    [
        Area("carapulse.plans.routes", "plans"),
        Area("carapulse.approvals.routes", "approvals", "plans/*:revoke"),
        Area("carapulse.executions.routes", "executions", "plans/*:execute"),
        Area("carapulse.workflows.routes", "workflows"),
        Area("carapulse.tools.routes", "tools"),
        Area("carapulse.context.routes", "context"),
        Area("carapulse.collection.routes", "collectors"),
        Area("carapulse.intake.routes", "alerts", "sources", "webhooks"),
        Area("carapulse.chatops.routes", "chat", "chatops"),
        Area("carapulse.knowledge.routes", "memory", "playbooks", "runbooks"),
        Area("carapulse.sessions.routes", "sessions"),
        Area("carapulse.schedules.routes", "schedules"),
        Area("carapulse.freezes.routes", "freezes", "windows"),
        Area("carapulse.audit.routes", "audit", "plans/*/evidence"),
        Area("carapulse.deadletters.routes", "dead-letters"),
        Area("carapulse.apikeys.routes", "api-keys"),
        Area("carapulse.access.routes", "authz", "me"),
        Area("carapulse.notifications.routes", "channels"),
        Area("carapulse.live.routes", "events", "live", "ws"),
    ]
)
"""The routes of the whole API, in the order in which it is described."""


def handlers(orchestrator: Orchestrator) -> Dispatcher:
    """Return the handlers of every message."""
    from carapulse.approvals.consumers import consumers as approvals
    from carapulse.chatops.consumers import consumers as chatops
    from carapulse.collection.consumers import consumers as collection
    from carapulse.intake.consumers import consumers as intake
    from carapulse.notifications.consumers import consumers as notifications
    from carapulse.runtime.carrying import carriers
    from carapulse.schedules.consumers import consumers as schedules

    every = [approvals, chatops, collection, intake, notifications, schedules]
    return Dispatcher.of([*carriers(orchestrator), *every])
