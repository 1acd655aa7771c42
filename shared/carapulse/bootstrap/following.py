"""What those who follow the log ask of the application, whoever holds their sockets."""

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from carapulse.adapters.postgres.connections import PostgresConnectionBook
from carapulse.adapters.postgres.journal import PostgresJournal
from carapulse.adapters.postgres.tail import PostgresTail
from carapulse.kernel.errors import Invalid
from carapulse.live.hub import Hub, Room
from carapulse.live.ports import Gateway
from carapulse.settings import Settings


class Followed:
    """The part of the application that can be followed."""

    if TYPE_CHECKING:  # what the application has

        @property
        def settings(self) -> Settings:
            """What the installation chose."""
            ...

        @property
        def engine(self) -> Engine:
            """The database, for units of work."""
            ...

        @property
        def journal(self) -> PostgresJournal:
            """The hot path to the database."""
            ...

        @property
        def stopping(self) -> threading.Event:
            """Set when the process stops."""
            ...

    @cached_property
    def tail(self) -> PostgresTail:
        """The log, from some place on."""
        return PostgresTail(self.engine, self.journal.direct)

    @cached_property
    def live(self) -> Hub:
        """Where clients of this process follow the log."""
        room = Room(self.settings.live_clients, self.settings.live_clients_of_tenant)
        return Hub(self.tail, self.stopping, room)

    @property
    def connection_book(self) -> PostgresConnectionBook:
        """What knows the clients whose sockets a gateway holds."""
        return PostgresConnectionBook(self.engine, self.journal.direct)

    @cached_property
    def gateway(self) -> Gateway:
        """What holds the sockets of clients; Invalid where nothing does."""
        if self.settings.live_gateway is None:
            raise Invalid("no gateway holds sockets here: CARAPULSE_LIVE_GATEWAY names none")
        from carapulse.adapters.aws.connections import ApiGatewayConnections  # noqa: PLC0415 - boto3 takes long

        return ApiGatewayConnections.connect(self.settings.live_gateway, self.settings.live_pusher)
