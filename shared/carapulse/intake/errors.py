"""What can go wrong at the intake."""

from carapulse.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated


class SourceRefused(Unauthenticated):
    """The sender is not known or can't prove itself.

    Every cause gives this one answer, so that nobody can probe; `why` is for the log alone.
    """

    code = "source-refused"

    def __init__(self, why: str) -> None:
        super().__init__("the webhook could not be verified")
        self.why = why


class SourceNotFound(NotFound):
    """No source of that name for this tenant."""

    code = "source-not-found"


class AlertNotFound(NotFound):
    """No alert with that id for this tenant."""

    code = "alert-not-found"


class AlertClosed(Conflict):
    """The alert is over already."""

    code = "alert-closed"


class WebhookReplayed(Conflict):
    """A message with this webhook-id was taken already."""

    code = "webhook-replayed"


class NotAnAlertNotification(Invalid):
    """The body is JSON, but not an Alertmanager notification of version 4."""

    code = "not-an-alertmanager-notification"


class RouteInvalid(Invalid):
    """A route of the registration can't work."""

    code = "route-invalid"


class TemplateUnfilled(Invalid):
    """An alert lacks something that the route's template asks for."""

    code = "template-unfilled"


class RouteGone(Conflict):
    """The registration changed, and the route that an alert took is not in it any more."""

    code = "route-gone"
