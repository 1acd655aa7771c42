"""A client whose socket a gateway holds: what it follows, what it said, and up to where it was told. Pure values."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, Field

from carapulse.identity.model import Principal
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem
from carapulse.kernel.record import Record
from carapulse.live.errors import TooManyMessages
from carapulse.live.feed import OVERFLOW, TIME_IS_UP, TOKEN_EXPIRED, Ending, Pace
from carapulse.live.model import Ask, Position, Wish
from carapulse.live.speaking import Ping, Subscribe, read_message

ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=_@-]{1,128}$")]
"""How a gateway calls a socket that it holds."""

MOST_HEARD: Final = 60
"""Messages that a client may send in a minute."""

_MINUTE: Final = timedelta(minutes=1)


class Last(Record):
    """Why a conversation is over."""

    code: str
    detail: str


class Held(Record):
    """One client. Each `subscribe` begins another turn.

    What the client decides and what whoever tells it has done are different fields, so that both may write at once.
    """

    id: ConnectionId
    principal: Principal
    ask: Ask
    turn: int = 1
    since: Position | None = Field(None, description="the place that its turn begins after; none is where it is")
    pings: int = 0
    ending: Last | None = None
    opened_at: AwareDatetime
    heard_at: AwareDatetime = Field(description="when the minute began in which its messages are counted")
    heard: int = 0
    told: Position | None = Field(None, description="up to where it was told; none is nothing yet")
    opened: int = Field(0, description="the turn that it was told the begin of")
    pongs: int = 0
    spoke_at: AwareDatetime = Field(description="when it last got a message")
    refused_at: AwareDatetime | None = Field(None, description="since when the gateway takes nothing more for it")

    @classmethod
    def begun(cls, connection_id: str, ask: Ask, principal: Principal, at: datetime) -> Self:
        """Return a client that has just come."""
        who = {"id": connection_id, "principal": principal, "ask": ask.model_copy(update={"after": None})}
        return cls.model_validate({**who, "since": ask.after, "opened_at": at, "spoke_at": at, "heard_at": at})

    def call(self, at: datetime, trace: str) -> Call:
        """Return the call in which it is told, or heard."""
        return Call(actor=self.principal.actor, tenant=self.principal.tenant, at=at, trace=trace)

    def wish(self, call: Call) -> Wish:
        """Return which events it gets, as its roles are understood now; raises Denied."""
        return Wish.of(self.ask, call)

    def hearing(self, message: str | None, call: Call) -> Self:
        """Return this after what the client said; what it may not say is the end of the conversation."""
        if self.ending is not None:
            return self
        counted = self._counted(call.at)
        try:
            return counted._obeying(message, call)  # noqa: SLF001 - its own
        except Problem as problem:
            return counted.model_copy(update={"ending": Last(code=problem.code, detail=problem.detail)})

    def over(self, at: datetime, pace: Pace) -> Ending | None:
        """Return why the conversation is over, or None while it goes on."""
        if self.ending is not None:
            return Ending(self.ending.code, self.ending.detail)
        if at.timestamp() >= self.principal.expires_at:
            return TOKEN_EXPIRED
        if (at - self.opened_at).total_seconds() >= pace.longest:
            return TIME_IS_UP
        if self.refused_at is not None and (at - self.refused_at).total_seconds() >= pace.patience:
            return OVERFLOW
        return None

    def _counted(self, at: datetime) -> Self:
        if at - self.heard_at >= _MINUTE:
            return self.model_copy(update={"heard_at": at, "heard": 1})
        return self.model_copy(update={"heard": self.heard + 1})

    def _obeying(self, message: str | None, call: Call) -> Self:
        if self.heard > MOST_HEARD:
            raise TooManyMessages("you say too much; nobody has to say more than sixty things in a minute")
        match read_message(message):
            case Ping():
                return self.model_copy(update={"pings": self.pings + 1})
            case Subscribe() as told:
                return self._turned(told, call)

    def _turned(self, told: Subscribe, call: Call) -> Self:
        ask = Ask(types=told.types, subject=told.subject)
        Wish.of(ask, call)  # refuses what it may not follow
        # A turn that nobody has begun yet may hold a place, which is where the client is.
        stays = self.since if self.opened < self.turn else None
        since = stays if told.after is None else told.after
        return self.model_copy(update={"ask": ask, "turn": self.turn + 1, "since": since})
