"""What is done to a repository where it is: read, commit or restore without a working copy.

Everything is made from objects (hash-object, write-tree, commit-tree), so no path of a working copy, no symbolic link
and no hook has a say; and pushed with a lease, so nothing of anybody else's is lost.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from carapulse.integrations.git.commands import FAILED, UNAVAILABLE, UNKNOWN, Git, Stop

_ATTEMPTS = 3
_PLAIN = "100644"
Job = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a commit has it."""

    mode: str = _PLAIN
    blob: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of the repository, fetched into an empty one of our own."""

    git: Git
    name: str
    moved: list[str] = field(default_factory=list)

    def head(self) -> str | None:
        """Return the commit that the branch is at now, or None if there is no such branch."""
        line = self.git.run("ls-remote", "--", self.git.url, f"refs/heads/{self.name}")
        return line.split("\t")[0] if line else None

    def fetched(self) -> str:
        """Fetch the newest commit and return its id, or stop if there is no such branch."""
        commit = self.head()
        if commit is None:
            raise Stop(FAILED, f"there is no branch {self.name}")
        self.git.run("fetch", "--quiet", "--depth=1", "--no-tags", "--", self.git.url, f"refs/heads/{self.name}")
        return self.git.run("rev-parse", "FETCH_HEAD")

    def with_history(self, commit: str) -> None:
        """Fetch what came before, unless the commit is here already."""
        if self.git.tried("cat-file", "-e", f"{commit}^{{commit}}").returncode:
            source = ("--", self.git.url, f"refs/heads/{self.name}")
            self.git.run("fetch", "--quiet", "--unshallow", "--no-tags", *source)
        self.git.run("cat-file", "-e", f"{commit}^{{commit}}")

    def push(self, new: str, old: str) -> bool:
        """Move the branch from one commit to the other; False if somebody else moved it meanwhile."""
        lease = f"--force-with-lease=refs/heads/{self.name}:{old}"
        source = "" if new == "" else new
        done = self.git.tried("push", "--quiet", lease, "--", self.git.url, f"{source}:refs/heads/{self.name}")
        if done.returncode == 0:
            return True
        said = done.stderr.decode("utf-8", errors="replace").strip()
        try:
            now = self.head()
        except Stop as stop:
            raise Stop(UNKNOWN if stop.code == UNAVAILABLE else stop.code, said) from stop
        if (now or "") == new:
            return True
        if now == old:
            raise Stop(FAILED, said)
        return False


def open_branch(job: Job, scratch: Path) -> Branch:
    """Return the branch that the job names, in a new empty repository."""
    folder = scratch / "objects"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    git = Git(folder, job["repository"])
    git.run("init", "--quiet", "--bare", ".")
    name = job["input"]["branch"]
    if git.tried("check-ref-format", "--branch", name).returncode:
        raise Stop(FAILED, "not a name for a branch")
    return Branch(git, name)


def entry_at(git: Git, commit: str, path: str) -> Entry:
    """Return the file as the commit has it; without blob if it has none."""
    if any(part.lower() in {"", ".", "..", ".git"} for part in path.split("/")):
        raise Stop(FAILED, "the path leads elsewhere")
    line = git.run("--literal-pathspecs", "ls-tree", commit, "--", path)
    if not line:
        return Entry()
    mode, kind, blob = line.split("\t")[0].split(" ")
    if kind != "blob" or mode not in {"100644", "100755"}:
        raise Stop(FAILED, "the path is no plain file")
    return Entry(mode, blob)


def content_of(git: Git, entry: Entry) -> str | None:
    """Return the text of a file; None if there is none or it is no text."""
    if entry.blob is None:
        return None
    try:
        return git.raw("cat-file", "blob", entry.blob).decode("utf-8")
    except UnicodeDecodeError:
        return None


def committed(git: Git, parent: str, path: str, entry: Entry, message: str) -> str:
    """Return a new commit that has the file as given and everything else as the parent."""
    git.run("read-tree", parent)
    line = f"{entry.mode} {entry.blob}\t{path}" if entry.blob else f"0 {'0' * len(parent)}\t{path}"
    git.run("update-index", "--index-info", text=line + "\n")
    return git.run("commit-tree", git.run("write-tree"), "-p", parent, "-F", "-", text=message)


def change_file(branch: Branch, job: Job, wanted: Entry, expected: str | None, *, check: bool) -> Job:
    """Bring the file to what is wanted, and return what was and what is. Already so is done."""
    git, path = branch.git, job["input"]["path"]
    git.refuse_protected(branch.name)
    for _ in range(_ATTEMPTS):
        parent = branch.fetched()
        before = entry_at(git, parent, path)
        told = {"previous_commit": parent, "previous_blob": before.blob, "blob": wanted.blob}
        if before.blob == wanted.blob:
            return {**told, "commit": parent, "changed": False, "content": content_of(git, before)}
        if check and before.blob != expected:
            raise Stop(FAILED, "the file is not the one that was looked at before")
        entry = Entry(before.mode if before.blob else wanted.mode, wanted.blob)
        commit = committed(git, parent, path, entry, job["input"]["message"])
        if branch.push(commit, parent):
            return {**told, "commit": commit, "changed": True, "content": content_of(git, wanted)}
    raise Stop(FAILED, "the branch moved each time the change was pushed")
