"""What brings messages, and what carries changes."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from carapulse.identity.addresses import GOOGLE, Email, IssuerUrl
from carapulse.identity.claims import Word
from carapulse.kernel.message import ORCHESTRATION, QUEUES

Orchestrator = Literal["queue", "step-functions"]
_ADDRESSES = {
    "sqs": re.compile(r"https?://[^\s/]+/\S+"),
    "pubsub": re.compile(r"projects/[^\s/]+/topics/[^\s/]+"),
}


class BringingSettings(BaseSettings):
    """What is chosen about queues, workers and state machines."""

    workers: int = Field(4, ge=1, le=64, description="queue workers in this process")
    visibility_s: float = Field(
        30.0, ge=1, le=3600, description="seconds a taken message stays hidden without a heartbeat"
    )
    queue: Literal["postgres", "sqs", "pubsub"] = Field(
        "postgres", description="who brings messages to workers and functions: the database itself, or a broker"
    )
    queue_addresses: dict[str, str] = Field(
        {}, description="JSON object: the address of each queue at the broker: SQS URLs, or names of Pub/Sub topics"
    )
    orchestrator: Orchestrator = Field(
        "queue", description="what carries changes: messages alone, or a state machine that says when to send them"
    )
    state_machine: str | None = Field(
        None,
        pattern="^arn:[a-z-]+:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[A-Za-z0-9_-]+$",
        description="with the orchestrator step-functions: the ARN of the machine in infra/state_machines",
    )
    push: Literal["none", "google", "cloudevents"] = Field(
        "none",
        description="who may call functions over HTTP: Pub/Sub and Cloud Scheduler of Google, by a token; "
        "a broker of CloudEvents that only the network keeps others from; nobody",
    )
    push_audience: Word | None = Field(None, description="what the tokens of Google's pushes must be made for (`aud`)")
    push_account: Email | None = Field(None, description="the address of the service account that Google pushes as")
    push_issuer: IssuerUrl = Field(GOOGLE, description="who signs the tokens of pushes; another only for an emulator")
    turn_s: float = Field(60.0, ge=0, le=3600, description="seconds that a worker stays with one run before others")
    max_deliveries: int = Field(8, ge=1, le=100, description="deliveries before a message is a dead letter")

    @model_validator(mode="after")
    def address_queues(self) -> Self:
        """Refuse a broker without an address of its own for each queue, addresses without a broker, and another's."""
        if self.queue == "postgres":
            if self.queue_addresses:
                raise ValueError("CARAPULSE_QUEUE_ADDRESSES is set, and CARAPULSE_QUEUE names no broker that has them")
            return self
        needed = QUEUES if self.orchestrator == "queue" else QUEUES | {ORCHESTRATION}
        if self.queue_addresses.keys() != needed:
            raise ValueError(f"CARAPULSE_QUEUE_ADDRESSES must name exactly {', '.join(sorted(needed))}")
        if not all(_ADDRESSES[self.queue].fullmatch(each) for each in self.queue_addresses.values()):
            raise ValueError(f"CARAPULSE_QUEUE_ADDRESSES holds what is no address for {self.queue}")
        if len(set(self.queue_addresses.values())) < len(needed):  # a function buries what another one is to handle
            raise ValueError("CARAPULSE_QUEUE_ADDRESSES names one address for two queues")
        return self

    @model_validator(mode="after")
    def orchestrate(self) -> Self:
        """Refuse a state machine without its address, and one whose queues are not those that it can send to."""
        if (self.orchestrator == "step-functions") is not (self.state_machine is not None):
            raise ValueError("CARAPULSE_ORCHESTRATOR step-functions and CARAPULSE_STATE_MACHINE need each other")
        if self.orchestrator == "step-functions" and self.queue != "sqs":
            raise ValueError("CARAPULSE_ORCHESTRATOR step-functions needs CARAPULSE_QUEUE sqs: it asks by its queues")
        return self

    @model_validator(mode="after")
    def choose_who_pushes(self) -> Self:
        """Refuse pushes of Google that anybody could make, and what says who pushes where nobody looks."""
        told = [name for name in ("push_audience", "push_account") if getattr(self, name) is not None]
        if self.push != "google":
            if told or "push_issuer" in self.model_fields_set:
                raise ValueError("CARAPULSE_PUSH_AUDIENCE, _ACCOUNT and _ISSUER count only if CARAPULSE_PUSH=google")
            return self
        if self.queue != "pubsub":
            raise ValueError("CARAPULSE_PUSH=google means messages of Pub/Sub, which CARAPULSE_QUEUE does not name")
        if self.push_audience is None or self.push_account is None:
            raise ValueError("CARAPULSE_PUSH=google needs CARAPULSE_PUSH_AUDIENCE and CARAPULSE_PUSH_ACCOUNT")
        return self
