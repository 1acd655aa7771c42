"""The unit of work: one transaction with every area's store in it."""

from functools import cached_property

from carapulse.adapters.postgres.work import PostgresWork
from carapulse.apikeys.store import PostgresApiKeys
from carapulse.approvals.store import PostgresApprovals
from carapulse.audit.store import PostgresArchives, PostgresEvidence
from carapulse.chatops.store import PostgresLinks, PostgresWorkspaces
from carapulse.collection.store import PostgresCollectors
from carapulse.context.store import PostgresContexts
from carapulse.deadletters.store import PostgresDeadLetters
from carapulse.executions.store import PostgresDryRuns, PostgresExecutions
from carapulse.freezes.store import PostgresFreezes, PostgresWindows
from carapulse.idempotency.store import PostgresKeys
from carapulse.intake.store import PostgresAlerts, PostgresDeliveries, PostgresSources
from carapulse.knowledge.model import Kind
from carapulse.knowledge.store import PostgresDocuments, PostgresMemories
from carapulse.live.store import PostgresConnections, PostgresTickets
from carapulse.notifications.store import PostgresChannelDeliveries, PostgresChannels
from carapulse.orchestration.store import PostgresMachines
from carapulse.plans.store import PostgresPlans
from carapulse.resealing.store import PostgresSealedRows
from carapulse.retention.store import PostgresRoom
from carapulse.schedules.store import PostgresScheduleRuns, PostgresSchedules
from carapulse.sessions.store import PostgresSessions
from carapulse.workflows.store import PostgresOwnVersions


class Work(PostgresWork):
    """A unit of work with every area's store in it."""

    @cached_property
    def plans(self) -> PostgresPlans:
        """The plans within this unit."""
        return PostgresPlans(self.connection, self.tenant, self.call.actor.scope)

    @cached_property
    def approvals(self) -> PostgresApprovals:
        """The approvals within this unit."""
        return PostgresApprovals(self.connection, self.tenant, self.plans.visible)

    @cached_property
    def executions(self) -> PostgresExecutions:
        """The executions within this unit."""
        return PostgresExecutions(self.connection, self.tenant, self.plans.visible)

    @cached_property
    def chat_workspaces(self) -> PostgresWorkspaces:
        """The workspaces of chats, within this unit."""
        return PostgresWorkspaces(self.connection, self.tenant)

    @cached_property
    def chat_links(self) -> PostgresLinks:
        """Who is linked to whom in chats, within this unit."""
        return PostgresLinks(self.connection, self.tenant)

    @cached_property
    def machines(self) -> PostgresMachines:
        """The state machines of a cloud that carry plans, within this unit."""
        return PostgresMachines(self.connection, self.tenant)

    @cached_property
    def dry_runs(self) -> PostgresDryRuns:
        """What was tried out, within this unit."""
        return PostgresDryRuns(self.connection, self.tenant)

    @cached_property
    def sources(self) -> PostgresSources:
        """Who may report alerts, within this unit."""
        return PostgresSources(self.connection, self.tenant)

    @cached_property
    def deliveries(self) -> PostgresDeliveries:
        """What they reported, within this unit."""
        return PostgresDeliveries(self.connection, self.tenant)

    @cached_property
    def alerts(self) -> PostgresAlerts:
        """The alerts within this unit."""
        return PostgresAlerts(self.connection, self.tenant, self.call.actor.scope, self.plans.visible)

    def documents(self, kind: Kind) -> PostgresDocuments:
        """Return the playbooks or the runbooks within this unit."""
        return PostgresDocuments(self.connection, self.tenant, kind)

    @cached_property
    def memories(self) -> PostgresMemories:
        """What is remembered, within this unit."""
        return PostgresMemories(self.connection, self.tenant)

    @cached_property
    def sessions(self) -> PostgresSessions:
        """The sessions within this unit."""
        return PostgresSessions(self.connection, self.tenant)

    @cached_property
    def own_versions(self) -> PostgresOwnVersions:
        """The tenant's own versions of workflows, within this unit."""
        return PostgresOwnVersions(self.connection, self.tenant)

    @property
    def workflow_uses(self) -> PostgresSchedules:
        """Who starts workflows by themselves, within this unit."""
        return self.schedules

    @cached_property
    def freezes(self) -> PostgresFreezes:
        """The freezes within this unit."""
        return PostgresFreezes(self.connection, self.tenant)

    @cached_property
    def windows(self) -> PostgresWindows:
        """The maintenance windows within this unit."""
        return PostgresWindows(self.connection, self.tenant)

    @cached_property
    def schedules(self) -> PostgresSchedules:
        """The schedules within this unit."""
        return PostgresSchedules(self.connection, self.tenant)

    @cached_property
    def schedule_runs(self) -> PostgresScheduleRuns:
        """What came of schedules, within this unit."""
        return PostgresScheduleRuns(self.connection, self.tenant)

    @cached_property
    def evidence(self) -> PostgresEvidence:
        """The log, as evidence, within this unit."""
        return PostgresEvidence(self.connection, self.tenant, self.plans.visible)

    @cached_property
    def context(self) -> PostgresContexts:
        """What there is and what hangs on what, within this unit."""
        return PostgresContexts(self.connection, self.tenant)

    @cached_property
    def collectors(self) -> PostgresCollectors:
        """Who asks systems what there is, within this unit."""
        return PostgresCollectors(self.connection, self.tenant)

    @cached_property
    def dead_letters(self) -> PostgresDeadLetters:
        """The messages that were given up, within this unit."""
        return PostgresDeadLetters(self.connection, self.tenant)

    @cached_property
    def archives(self) -> PostgresArchives:
        """What left the log, within this unit."""
        return PostgresArchives(self.connection, self.tenant)

    @cached_property
    def api_keys(self) -> PostgresApiKeys:
        """The API keys within this unit."""
        return PostgresApiKeys(self.connection, self.tenant, self.call.actor.scope)

    @cached_property
    def tickets(self) -> PostgresTickets:
        """The tickets for live streams, within this unit."""
        return PostgresTickets(self.connection, self.tenant)

    @cached_property
    def connections(self) -> PostgresConnections:
        """The clients whose sockets a gateway holds, within this unit."""
        return PostgresConnections(self.connection, self.tenant)

    @cached_property
    def channels(self) -> PostgresChannels:
        """The channels by which people are told, within this unit."""
        return PostgresChannels(self.connection, self.tenant)

    @cached_property
    def channel_deliveries(self) -> PostgresChannelDeliveries:
        """What they are told, within this unit."""
        return PostgresChannelDeliveries(self.connection, self.tenant)

    @cached_property
    def keys(self) -> PostgresKeys:
        """The caller's idempotency keys, within this unit."""
        return PostgresKeys(self.connection, self.call)

    @cached_property
    def room(self) -> PostgresRoom:
        """The partitions, within this unit."""
        return PostgresRoom(self.connection)

    @cached_property
    def sealed_rows(self) -> PostgresSealedRows:
        """What is kept sealed, within this unit."""
        return PostgresSealedRows(self.connection, self.tenant)
