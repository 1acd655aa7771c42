"""A bare git repository, for real, and a toolbox that reaches it."""

import subprocess
from pathlib import Path
from typing import Any

from tests.builders.tools import Runs, a_connection, a_toolbox, an_invocation

from carapulse.tools.model import Invocation

FILE = {"repo": "deploy", "branch": "main", "path": "apps/checkout/version"}


class Repository:
    """A bare repository with one commit on main and on locked."""

    def __init__(self, folder: Path) -> None:
        self.bare = folder / "deploy.git"
        self._work = folder / "work"
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), at=folder)
        self._git("clone", "--quiet", str(self.bare), str(self._work), at=folder)
        self._git("checkout", "-q", "-B", "main")
        self.write("apps/checkout/version", "1.0\n")
        self._git("push", "-q", "origin", "main", "main:locked")
        connection = a_connection(
            "git",
            settings={
                "workspaces": str(folder / "workspaces"),
                "repositories": {"deploy": {"url": str(self.bare), "protected_branches": ["locked", "release-*"]}},
            },
        )
        self.run = Runs(a_toolbox(connection))

    def write(self, path: str, text: str) -> None:
        """Commit and push one file as somebody else would."""
        self._git("pull", "-q", "--rebase", "origin", "main", check=False)
        (self._work / path).parent.mkdir(parents=True, exist_ok=True)
        (self._work / path).write_text(text)
        self._git("add", "-A")
        self._git("-c", "user.name=ada", "-c", "user.email=ada@example.org", "commit", "-q", "-m", "Somebody else")
        self._git("push", "-q", "origin", "main")

    def show(self, path: str, branch: str = "main") -> str | None:
        """Return a file as the repository has it, or None."""
        done = self._git("show", f"{branch}:{path}", at=self.bare, check=False)
        return done.stdout if done.returncode == 0 else None

    def commits(self, branch: str = "main") -> list[str]:
        """Return the ids of a branch's commits, newest first."""
        return self._git("rev-list", branch, at=self.bare).stdout.split()

    def branches(self) -> list[str]:
        """Return the names of the branches."""
        return self._git("for-each-ref", "--format=%(refname:short)", "refs/heads", at=self.bare).stdout.split()

    def commit_file(self, content: str, **fields: Any) -> Invocation:
        """Return the invocation that makes the file hold this."""
        return an_invocation("git.commit_file", {**FILE, "content": content, "message": "Deploy", **fields})

    def _git(self, *arguments: str, at: Path | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(["git", *arguments], cwd=at or self._work, capture_output=True, text=True, check=check)
