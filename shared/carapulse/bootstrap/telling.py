"""What telling people asks of the application."""

from typing import TYPE_CHECKING

from carapulse.adapters.postgres.channels import PostgresChannelBook
from carapulse.adapters.postgres.journal import PostgresJournal
from carapulse.adapters.slack.telling import SlackWords
from carapulse.adapters.web.client import HttpxWeb


class Teller:
    """The part of the application that tells people."""

    if TYPE_CHECKING:  # what the application has

        @property
        def journal(self) -> PostgresJournal:
            """The hot path to the database."""
            ...

    @property
    def web(self) -> HttpxWeb:
        """What makes HTTP requests."""
        return HttpxWeb()

    @property
    def slack_words(self) -> SlackWords:
        """What puts events into the form of Slack."""
        return SlackWords()

    @property
    def channel_book(self) -> PostgresChannelBook:
        """What knows which tenants have something to be told."""
        return PostgresChannelBook(self.journal.direct)
