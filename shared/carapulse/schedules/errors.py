"""What can go wrong with a schedule."""

from carapulse.kernel.errors import Conflict, Invalid, NotFound


class ScheduleNotFound(NotFound):
    """No schedule with that id for this tenant."""

    code = "schedule-not-found"


class ScheduleNameTaken(Conflict):
    """Another schedule has this name."""

    code = "schedule-name-taken"


class ScheduleInvalid(Invalid):
    """What the schedule asks for could not be made into a plan; each fault says where."""

    code = "schedule-invalid"
