"""Who may follow which kind of event: whoever may read what it is about. One table; a test holds it complete."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from carapulse.identity.permissions import Permission

_KINDS: Final[Mapping[Permission, str]] = MappingProxyType(
    {
        "plan:read": "PlanApproved PlanArchived PlanCancelled PlanClosed PlanDrafted PlanExpired PlanRefused"
        " PlanRejected PolicyDecided",
        "approval:read": "ApprovalDecided ApprovalDelegated ApprovalDenied ApprovalExpired ApprovalGranted"
        " ApprovalRequested ApprovalRevoked ApprovalUsed",
        "execution:read": "CancelRequested DeadlinePassed ExecutionFinished ExecutionHeld ExecutionStarted"
        " ExecutionUndoing PauseRequested ResumeRequested RetryRequested StepDelayed StepFailed"
        " StepResolved StepRetried StepSkipped StepStarted StepSucceeded StepTakenOver StepUnknown"
        " UndoPlanned",
        "alert:read": "AlertOpened AlertPlanClosed AlertPlanFailed AlertPlanKept AlertPlanned AlertReceived"
        " AlertResolved AlertUnmatched",
        "source:read": "CredentialIssued SourceChanged SourceRegistered SourceRetired",
        "collector:read": "CollectionAsked CollectionFailed CollectionRecovered CollectorDeleted CollectorPut",
        "channel:read": "ChannelBehind ChannelDeleted ChannelDisabled ChannelPut ChannelSecretIssued ChannelTested"
        " DeliveryFailed",
        "chat-workspace:read": "ChatWorkspaceChanged ChatWorkspaceRegistered ChatWorkspaceRetired",
        "context:read": "ContextRefreshed",
        "api-key:read": "ApiKeyCreated ApiKeyRevoked ApiKeyRotated",
        "schedule:read": "ScheduleChanged ScheduleCreated ScheduleDeleted ScheduleFailed ScheduleFired ScheduleSkipped",
        "freeze:read": "FreezeChanged FreezeDeclared FreezeLifted",
        "window:read": "WindowChanged WindowDeclared WindowLifted",
        "workflow:read": "WorkflowVersionAdded WorkflowVersionRetired",
        "runbook:read": "DocumentCreated DocumentDeleted DocumentRevised",
        "memory:read": "MemoryChanged MemoryForgotten MemoryKept",
        "message:read": "ForgedMessageSeen MessageBuried MessageDiscarded MessageReplayed",
        "audit:read": "AccessRefused ChatCodeIssued ChatCommandGiven ChatCommandRefused ChatLinked ChatUnlinked"
        " EventsArchived EventsExported EvidenceExported MemberAdded MemberChanged"
        " MemberRemoved SecretsResealed SessionChanged SessionCreated SessionDeleted TicketIssued TicketUsed",
    }
)
READERS: Final[Mapping[str, Permission]] = MappingProxyType(
    {kind: permission for permission, kinds in _KINDS.items() for kind in kinds.split()}
)
"""The permission that an event of each kind needs."""

UNKNOWN: Final[Permission] = "audit:read"
"""What an event needs that an older or a newer version wrote: whoever may read the whole log may see it."""
