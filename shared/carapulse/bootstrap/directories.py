"""What knows which things there are, across tenants: each is imported when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from carapulse.adapters.postgres.calendar import PostgresCalendar
    from carapulse.adapters.postgres.collectors import PostgresCollectorBook
    from carapulse.adapters.postgres.direct import Direct
    from carapulse.adapters.postgres.machines import PostgresMachineBook
    from carapulse.adapters.postgres.schedules import PostgresScheduleBook
    from carapulse.adapters.postgres.sealed import PostgresSealingBook
    from carapulse.adapters.postgres.sources import PostgresSourceDirectory
    from carapulse.adapters.postgres.tickets import PostgresTicketDirectory
    from carapulse.adapters.postgres.workspaces import PostgresWorkspaceDirectory
    from carapulse.bootstrap.glancing import PostgresGlances


class Directories:
    """The part of the application that finds whose something is, and what is due."""

    if TYPE_CHECKING:  # what the application has

        @property
        def engine(self) -> Engine:
            """The database, for units of work."""
            ...

        @property
        def direct(self) -> Direct:
            """The database, for the hot path."""
            ...

    @cached_property
    def source_directory(self) -> PostgresSourceDirectory:
        """What knows whose a source of alerts is."""
        from carapulse.adapters.postgres.sources import PostgresSourceDirectory

        return PostgresSourceDirectory(self.engine)

    @cached_property
    def ticket_directory(self) -> PostgresTicketDirectory:
        """What knows whose a ticket for live streams is."""
        from carapulse.adapters.postgres.tickets import PostgresTicketDirectory

        return PostgresTicketDirectory(self.engine)

    @cached_property
    def glances(self) -> PostgresGlances:
        """What looks at plans."""
        from carapulse.bootstrap.glancing import PostgresGlances

        return PostgresGlances(self.engine)

    @property
    def workspace_directory(self) -> PostgresWorkspaceDirectory:
        """What knows whose a workspace of a chat is."""
        from carapulse.adapters.postgres.workspaces import PostgresWorkspaceDirectory

        return PostgresWorkspaceDirectory(self.engine)

    @property
    def sealing_book(self) -> PostgresSealingBook:
        """What tells which sealing key made what is kept."""
        from carapulse.adapters.postgres.sealed import PostgresSealingBook

        return PostgresSealingBook(self.direct.where)

    @property
    def machine_book(self) -> PostgresMachineBook:
        """The machines that the clock looks after."""
        from carapulse.adapters.postgres.machines import PostgresMachineBook

        return PostgresMachineBook(self.direct)

    @property
    def schedule_book(self) -> PostgresScheduleBook:
        """The schedules that the clock looks after."""
        from carapulse.adapters.postgres.schedules import PostgresScheduleBook

        return PostgresScheduleBook(self.direct)

    @property
    def collector_book(self) -> PostgresCollectorBook:
        """The collectors that the clock has run."""
        from carapulse.adapters.postgres.collectors import PostgresCollectorBook

        return PostgresCollectorBook(self.direct)

    @cached_property
    def calendar(self) -> PostgresCalendar:
        """What tells which freezes and windows were declared."""
        from carapulse.adapters.postgres.calendar import PostgresCalendar

        return PostgresCalendar(self.direct)
