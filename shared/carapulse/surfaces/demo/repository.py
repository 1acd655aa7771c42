"""The bare git repository of the demo: what it declares is what is meant to run."""

import subprocess
from pathlib import Path
from typing import Final

DECLARATION: Final = "apps/checkout/service.yaml"
BRANCH: Final = "main"
_PERSON: Final = ["-c", "user.name=Release train", "-c", "user.email=release-train@shop.example"]
_LONGEST_S: Final = 20
# Nobody's own configuration, hooks or signing keys have a part in the demo.
_ENVIRONMENT: Final = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
    "LC_ALL": "C",
}


def declaration(version: str) -> str:
    """Return the text that declares a release."""
    comment = "# What runs in production. The reconciler follows this file."
    return f'{comment}\nservice: checkout\nversion: "{version}"\nreplicas: 1\n'


class Repository:
    """A bare repository in a folder, read and written by git itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, folder: Path) -> "Repository":
        """Make an empty repository."""
        folder.mkdir(parents=True)
        repository = cls(folder)
        repository._git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", ".")
        return repository

    def declare(self, version: str, message: str) -> str:
        """Commit the declaration of a release, as a release train would, and return the commit."""
        blob = self._git("hash-object", "-w", "--stdin", text=declaration(version))
        tree = self._tree(f"100644 blob {blob}\t{Path(DECLARATION).name}")
        for part in reversed(Path(DECLARATION).parent.parts):
            tree = self._tree(f"040000 tree {tree}\t{part}")
        parent = self.head()
        parents = ["-p", parent] if parent else []
        commit = self._git(*_PERSON, "commit-tree", tree, *parents, "-F", "-", text=message)
        self._git("update-ref", f"refs/heads/{BRANCH}", commit)
        return commit

    def head(self) -> str | None:
        """Return the newest commit, or None in an empty repository."""
        return self._git("for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}") or None

    def declared(self) -> str:
        """Return the text that the newest commit declares."""
        return self._git("show", f"{BRANCH}:{DECLARATION}", strip=False)

    def history(self) -> list[str]:
        """Return who committed what, the newest first."""
        return self._git("log", "--format=%h %an: %s", BRANCH).splitlines()

    def _tree(self, line: str) -> str:
        return self._git("mktree", text=line + "\n")

    def _git(self, *arguments: str, text: str = "", strip: bool = True) -> str:
        ran = subprocess.run(  # noqa: S603 - our own words
            ["git", *arguments],  # noqa: S607 - on the closed path above
            cwd=self.folder,
            env=_ENVIRONMENT,
            input=text,
            capture_output=True,
            check=True,
            text=True,
            timeout=_LONGEST_S,
        )
        return ran.stdout.strip() if strip else ran.stdout
