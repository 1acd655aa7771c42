"""What those who follow the log ask of the application, whoever holds their sockets."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from carapulse.kernel.errors import Invalid

if TYPE_CHECKING:
    import threading

    from sqlalchemy import Engine

    from carapulse.adapters.postgres.connections import PostgresConnectionBook
    from carapulse.adapters.postgres.direct import Direct
    from carapulse.adapters.postgres.tail import PostgresTail
    from carapulse.live.hub import Hub
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
        def direct(self) -> Direct:
            """The database, for the hot path."""
            ...

        @property
        def stopping(self) -> threading.Event:
            """Set when the process stops."""
            ...

    @cached_property
    def tail(self) -> PostgresTail:
        """The log, from some place on."""
        from carapulse.adapters.postgres.tail import PostgresTail

        return PostgresTail(self.engine, self.direct)

    @cached_property
    def live(self) -> Hub:
        """Where clients of this process follow the log."""
        from carapulse.live.hub import Hub, Room

        room = Room(self.settings.live_clients, self.settings.live_clients_of_tenant)
        return Hub(self.tail, self.stopping, room)

    @property
    def connection_book(self) -> PostgresConnectionBook:
        """What knows the clients whose sockets a gateway holds."""
        from carapulse.adapters.postgres.connections import PostgresConnectionBook

        return PostgresConnectionBook(self.engine, self.direct)

    @cached_property
    def gateway(self) -> Gateway:
        """What holds the sockets of clients; Invalid where nothing does."""
        if self.settings.live_gateway is None:
            raise Invalid("no gateway holds sockets here: CARAPULSE_LIVE_GATEWAY names none")
        from carapulse.adapters.aws.connections import ApiGatewayConnections

        return ApiGatewayConnections.connect(self.settings.live_gateway, self.settings.live_pusher)
