"""What makes changes and carries them: each is imported, and read from its files, when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from carapulse.adapters.postgres.direct import Direct
    from carapulse.adapters.postgres.journal import PostgresJournal
    from carapulse.approvals.envelopes import ApprovalEnvelopes
    from carapulse.bootstrap.shipped import Shipped
    from carapulse.bootstrap.work import Work
    from carapulse.broker.relay import Relay
    from carapulse.collection.definitions import Definitions
    from carapulse.executions.rechecking import Judgements
    from carapulse.executions.versions import Versions
    from carapulse.executions.watching import Watch
    from carapulse.freezes.rules import RecentRules
    from carapulse.kernel.call import Call
    from carapulse.kernel.clock import Clock
    from carapulse.settings import Settings
    from carapulse.tools.catalogue import Catalogue
    from carapulse.tools.toolbox import Toolbox
    from carapulse.workflows.shelf import Shelf


class Changing:
    """The part of the application that changes the world."""

    if TYPE_CHECKING:  # what the application has
        settings: Settings
        clock: Clock
        direct: Direct
        relay: Relay | None
        stopping: threading.Event
        shipped: Shipped
        read_toolbox: Callable[[], Toolbox]

        def begin(self, call: Call) -> Work:
            """Open a unit of work for the caller's tenant."""
            ...

    def prepare(self) -> None:
        """Read now what is read when it is first asked for, as a process does that lives long."""
        self.shipped.prepare()
        self.read_toolbox()

    @property
    def catalogue(self) -> Catalogue:
        """The tools that there are."""
        return self.shipped.catalogue

    @property
    def toolbox(self) -> Toolbox:
        """What uses them."""
        return self.read_toolbox()

    @cached_property
    def definitions(self) -> Definitions:
        """What collectors do."""
        from carapulse.collection.definitions import Definitions

        return Definitions.beside(self.shipped.manifests, self.catalogue)

    @cached_property
    def workflows(self) -> Shelf:
        """The workflows of every tenant."""
        from carapulse.workflows.shelf import Shelf

        return Shelf(self.shipped.book, self.begin)

    @cached_property
    def journal(self) -> PostgresJournal:
        """The executions, on the hot path."""
        from carapulse.adapters.postgres.journal import PostgresJournal

        return PostgresJournal(self.direct, None if self.relay is None else self.relay.after_commit)

    @cached_property
    def envelopes(self) -> ApprovalEnvelopes:
        """What plans need to be approved by people."""
        from carapulse.approvals.envelopes import ApprovalEnvelopes

        return ApprovalEnvelopes()

    @cached_property
    def recent_rules(self) -> RecentRules:
        """The freezes and windows that this process has read just now."""
        from carapulse.freezes.rules import RecentRules

        return RecentRules()

    @cached_property
    def judgements(self) -> Judgements:
        """What policy has said to this process."""
        from carapulse.executions.rechecking import Judgements

        return Judgements()

    @cached_property
    def versions(self) -> Versions:
        """The versions of plans that this process has read."""
        from carapulse.executions.versions import Versions

        return Versions()

    @cached_property
    def watch(self) -> Watch:
        """What looks after the attempts of this process."""
        from carapulse.executions.watching import Watch

        return Watch(self.begin, self.clock, self.settings.visibility_s, self.stopping)
