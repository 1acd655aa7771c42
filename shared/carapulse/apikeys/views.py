"""What is shown of keys beyond what is kept."""

from pydantic import Field

from carapulse.apikeys.model import ApiKey
from carapulse.kernel.record import Record


class IssuedKey(Record):
    """A key that was made just now, with its text: shown once, and nobody can show it again."""

    key: ApiKey
    text: str = Field(description="what goes behind `Authorization: Bearer`", repr=False)
