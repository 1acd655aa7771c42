"""Running git for one job: no prompts, no hooks, no configuration but ours."""

import base64
import os
import re
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

FAILED, UNAVAILABLE, UNKNOWN, FORBIDDEN = 1, 75, 76, 77  # as manifest.yaml says; 75 and 77 as in sysexits.h
_AWAY = re.compile(
    r"could not resolve host|connection (?:refused|timed out|reset)|could not read from remote|failed to connect"
    r"|the remote end hung up|unable to access|does not appear to be a git repository|early eof",
    re.IGNORECASE,
)
_CONFIG = "[safe]\n\tdirectory = *\n[core]\n\thooksPath = /dev/null\n[credential]\n\thelper =\n[gc]\n\tauto = 0\n"


class Stop(Exception):  # noqa: N818 - the way out of the program, not always an error
    """Ends the program with a code that the manifest knows."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one folder, with the credentials of one declared repository."""

    folder: Path
    repository: dict[str, Any]

    @property
    def url(self) -> str:
        """Where the repository is."""
        return str(self.repository["url"])

    def run(self, *arguments: str, text: str | bytes = b"") -> str:
        """Return what git wrote, without the last line break, or stop."""
        return self.raw(*arguments, text=text).decode("utf-8").rstrip("\n")

    def raw(self, *arguments: str, text: str | bytes = b"") -> bytes:
        """Return the very bytes that git wrote, or stop."""
        done = self.tried(*arguments, text=text)
        if done.returncode:
            said = done.stderr.decode("utf-8", errors="replace").strip()
            raise Stop(UNAVAILABLE if _AWAY.search(said) else FAILED, said or f"git {arguments[0]} failed")
        return done.stdout

    def tried(self, *arguments: str, text: str | bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Return how git ended."""
        given = text.encode() if isinstance(text, str) else text
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, input=given, env=self._environment(), capture_output=True, check=False)  # noqa: S603 - no shell; found on the closed path

    def refuse_protected(self, branch: str) -> None:
        """Stop if the connection protects the branch."""
        if any(fnmatchcase(branch, pattern) for pattern in self.repository.get("protected_branches", [])):
            raise Stop(FORBIDDEN, f"the branch {branch} is protected")

    def _environment(self) -> dict[str, str]:
        author = self.repository.get("author", {})
        name, email = author.get("name", "carapulse"), author.get("email", "carapulse@localhost")
        return {
            **_inherited(),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
            **_password(self.repository),
            **_ssh(self.repository),
        }


def _inherited() -> dict[str, str]:
    """Return this program's own environment: it was made for it, and holds nothing else."""
    return dict(os.environ)  # noqa: TID251 - a program of its own, not the application


def _password(repository: dict[str, Any]) -> dict[str, str]:
    """Give a password to git in its environment, where only this user's processes see it."""
    if "password" not in repository:
        return {}
    pair = f"{repository.get('username', 'git')}:{repository['password']}".encode()
    header = f"Authorization: Basic {base64.b64encode(pair).decode()}"
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{repository['url']}.extraHeader",
        "GIT_CONFIG_VALUE_0": header,
    }


def _ssh(repository: dict[str, Any]) -> dict[str, str]:
    if "ssh_key_file" not in repository:
        return {}
    options = "-o BatchMode=yes -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
    known = repository.get("known_hosts_file", "/etc/ssh/ssh_known_hosts")
    return {"GIT_SSH_COMMAND": f"ssh {options} -o UserKnownHostsFile={known} -i {repository['ssh_key_file']}"}


def write_configuration(home: Path) -> None:
    """Make the only configuration that git will read."""
    (home / ".gitconfig").write_text(_CONFIG)
