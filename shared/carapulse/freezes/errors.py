"""What can go wrong with a freeze or a window."""

from carapulse.kernel.errors import Conflict, Invalid, NotFound


class FreezeNotFound(NotFound):
    """No freeze with that id for this tenant."""

    code = "freeze-not-found"


class WindowNotFound(NotFound):
    """No maintenance window with that id for this tenant."""

    code = "window-not-found"


class FreezeOver(Conflict):
    """The freeze was lifted, or its time has passed; what was can't be changed."""

    code = "freeze-over"


class WindowIsLifted(Conflict):
    """The window was lifted; what was can't be changed."""

    code = "window-lifted"


class RuleNameTaken(Conflict):
    """Another freeze, or another window, that wasn't lifted has this name."""

    code = "rule-name-taken"


class FreezeInvalid(Invalid):
    """The freeze would never hold."""

    code = "freeze-invalid"
