"""A connection with its secrets in hand: for one use, never kept."""

from dataclasses import dataclass, field
from typing import Any

from carapulse.tools.connections import Connection, SecretReference
from carapulse.tools.errors import ConnectionForbids
from carapulse.tools.ports import Secrets
from carapulse.tools.redaction import Redactor

_GENERATED = 32


@dataclass(frozen=True, slots=True)
class Credentials:
    """Reads the secrets of one connection and remembers what must not be shown."""

    connection: Connection
    secrets: Secrets
    seen: list[str] = field(default_factory=list)

    def settings(self) -> Any:  # noqa: ANN401 - any JSON value
        """Return the connection's settings with every secret read."""
        return self._resolved(self.connection.settings)

    def texts(self, values: dict[str, Any]) -> dict[str, str]:
        """Return headers or environment variables with every secret read."""
        return {name: value if isinstance(value, str) else self._read(value) for name, value in values.items()}

    def secret(self, entry: dict[str, Any]) -> str:
        """Return the secret that an input's field asks for by name, or a new random one."""
        if "generate" in entry:
            return self._hidden(self.secrets.generate(int(entry["generate"] or _GENERATED)))
        name = entry.get("secret")
        if name not in self.connection.secrets:
            raise ConnectionForbids("the connection does not declare this secret", name=name)
        return self._read(self.connection.secrets[name])

    def redactor(self, keys: tuple[str, ...]) -> Redactor:
        """Return a redactor that knows every secret read so far."""
        return Redactor(self.seen, keys)

    def _read(self, reference: SecretReference) -> str:
        return reference.prefix + self._hidden(self.secrets.read(reference.secret))

    def _hidden(self, value: str) -> str:
        self.seen.append(value)
        return value

    def _resolved(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(value, dict) and "secret" in value:
            return self._read(SecretReference.model_validate(value))
        if isinstance(value, dict):
            return {key: self._resolved(item) for key, item in value.items()}
        return [self._resolved(item) for item in value] if isinstance(value, list) else value
