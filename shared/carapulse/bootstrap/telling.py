"""What telling people asks of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carapulse.adapters.postgres.channels import PostgresChannelBook
    from carapulse.adapters.postgres.direct import Direct
    from carapulse.adapters.slack.replies import SlackReplies
    from carapulse.adapters.slack.telling import SlackWords
    from carapulse.adapters.web.client import HttpxWeb


class Teller:
    """The part of the application that tells people."""

    if TYPE_CHECKING:  # what the application has

        @property
        def direct(self) -> Direct:
            """The database, for the hot path."""
            ...

    @property
    def web(self) -> HttpxWeb:
        """What makes HTTP requests."""
        from carapulse.adapters.web.client import HttpxWeb

        return HttpxWeb()

    @property
    def slack_words(self) -> SlackWords:
        """What puts events into the form of Slack."""
        from carapulse.adapters.slack.telling import SlackWords

        return SlackWords()

    @property
    def chat_replies(self) -> SlackReplies:
        """What speaks Slack's language."""
        from carapulse.adapters.slack.replies import SlackReplies

        return SlackReplies(self.web)

    @property
    def channel_book(self) -> PostgresChannelBook:
        """What knows which tenants have something to be told."""
        from carapulse.adapters.postgres.channels import PostgresChannelBook

        return PostgresChannelBook(self.direct)
