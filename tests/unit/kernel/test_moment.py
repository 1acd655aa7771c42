"""A moment is written with its offset, or it is refused."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from carapulse.kernel.moment import Moment

MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


@pytest.mark.parametrize("text", ["2026-11-27T08:00:00Z", "2026-11-27T09:00:00.000+01:00", "2026-11-27 08:00:00z"])
def test_what_rfc_3339_has_is_read(text):
    assert MOMENT.validate_python(text) == datetime(2026, 11, 27, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        0.5,
        1,
        True,
        "0.5",
        "1764230400",
        "2026-11-27",
        "2026-11-27T08:00:00",
        "2026-11-27T25:00:00Z",
        "now",
        "",
        None,
        "9999-12-31T23:59:59Z",
        "1969-12-31T23:59:59Z",
        "٢٠٢٦-11-27T08:00:00Z",
    ],
)
def test_anything_else_is_not(text):
    with pytest.raises(ValidationError):
        MOMENT.validate_python(text)
