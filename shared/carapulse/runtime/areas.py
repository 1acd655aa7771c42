"""Which areas take part: their routes and their message handlers."""

from carapulse.access.routes import router as access_routes
from carapulse.apikeys.routes import router as api_key_routes
from carapulse.approvals.consumers import consumers as approvals
from carapulse.approvals.routes import router as approval_routes
from carapulse.audit.routes import router as audit_routes
from carapulse.chatops.consumers import consumers as chatops
from carapulse.chatops.routes import router as chat_routes
from carapulse.collection.consumers import consumers as collection
from carapulse.collection.routes import router as collection_routes
from carapulse.context.routes import router as context_routes
from carapulse.deadletters.routes import router as dead_letter_routes
from carapulse.executions.routes import router as execution_routes
from carapulse.freezes.routes import router as freeze_routes
from carapulse.intake.consumers import consumers as intake
from carapulse.intake.routes import router as intake_routes
from carapulse.knowledge.routes import router as knowledge_routes
from carapulse.live.routes import router as live_routes
from carapulse.notifications.consumers import consumers as notifications
from carapulse.notifications.routes import router as notification_routes
from carapulse.plans.routes import router as plan_routes
from carapulse.runtime.carrying import carriers
from carapulse.runtime.dispatch import Dispatcher
from carapulse.schedules.consumers import consumers as schedules
from carapulse.schedules.routes import router as schedule_routes
from carapulse.sessions.routes import router as session_routes
from carapulse.settings import Orchestrator
from carapulse.tools.routes import router as tool_routes
from carapulse.workflows.routes import router as workflow_routes

ROUTERS = (
    plan_routes,
    approval_routes,
    execution_routes,
    workflow_routes,
    tool_routes,
    context_routes,
    collection_routes,
    intake_routes,
    chat_routes,
    knowledge_routes,
    session_routes,
    schedule_routes,
    freeze_routes,
    audit_routes,
    dead_letter_routes,
    api_key_routes,
    access_routes,
    notification_routes,
    live_routes,
)


def handlers(orchestrator: Orchestrator) -> Dispatcher:
    """Return the handlers of every message."""
    every = [approvals, chatops, collection, intake, notifications, schedules]
    return Dispatcher.of([*carriers(orchestrator), *every])
