"""The actions on a clone that is kept between steps, in a folder that the connection gives."""

import re
from pathlib import Path

from carapulse.integrations.git.commands import FAILED, FORBIDDEN, UNAVAILABLE, UNKNOWN, Git, Stop
from carapulse.integrations.git.remote import Job

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def _folder(job: Job) -> Path:
    """Return the clone's folder: one for each tenant, repository and name."""
    root = job.get("workspaces")
    if not root:
        raise Stop(FORBIDDEN, "the connection gives no folder for workspaces")
    names = [job["tenant"], job["input"]["repo"], job["input"]["workspace"]]
    if not all(_FOLDER.fullmatch(name) for name in names):
        raise Stop(FORBIDDEN, "a tenant or name that can't be a folder")
    return Path(root, *names)


def _opened(job: Job) -> Git:
    folder = _folder(job)
    if not (folder / ".git").is_dir():
        raise Stop(FAILED, "there is no such workspace; clone it first")
    return Git(folder, job["repository"])


def _at(git: Git) -> Job:
    commit = git.tried("rev-parse", "--verify", "--quiet", "HEAD").stdout.decode().strip()
    branch = git.tried("symbolic-ref", "--short", "--quiet", "HEAD").stdout.decode().strip()
    return {"commit": commit or None, "branch": branch or None}


def clone(job: Job, scratch: Path) -> Job:
    """Clone the repository into a workspace; one that is there already is left as it is."""
    folder = _folder(job)
    if not (folder / ".git").is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        wanted = ["--branch", job["input"]["branch"]] if "branch" in job["input"] else []
        outside = Git(scratch, job["repository"])
        outside.run("clone", "--quiet", *wanted, "--", outside.url, str(folder))
    return _at(Git(folder, job["repository"]))


def branch(job: Job, scratch: Path) -> Job:  # noqa: ARG001 - every action has the same shape
    """Make a branch and switch to it; one that is there already is switched to."""
    git = _opened(job)
    name, base = job["input"]["name"], job["input"].get("base", "HEAD")
    if git.tried("show-ref", "--verify", "--quiet", f"refs/heads/{name}").returncode == 0:
        git.run("checkout", "--quiet", name, "--")
    else:
        git.run("checkout", "--quiet", "-b", name, base, "--")
    return _at(git)


def add(job: Job, scratch: Path) -> Job:
    """Stage paths."""
    git = _opened(job)
    git.run("--literal-pathspecs", "add", "--", *job["input"]["paths"])
    return status(job, scratch)


def commit(job: Job, scratch: Path) -> Job:  # noqa: ARG001 - every action has the same shape
    """Commit what is staged; nothing staged is nothing to do."""
    git = _opened(job)
    if job["input"].get("all"):
        git.run("add", "--update")
    if paths := job["input"].get("paths", []):
        git.run("--literal-pathspecs", "add", "--", *paths)
    changed = git.tried("diff", "--cached", "--quiet").returncode != 0
    if changed:
        git.run("commit", "--quiet", "-F", "-", text=job["input"]["message"])
    return {**_at(git), "changed": changed}


def push(job: Job, scratch: Path) -> Job:  # noqa: ARG001 - every action has the same shape
    """Push the workspace's commit to a branch, never by force."""
    git = _opened(job)
    name = job["input"]["branch"]
    git.refuse_protected(name)
    done = git.tried("push", "--quiet", "--", git.url, f"HEAD:refs/heads/{name}")
    here = _at(git)
    if done.returncode:
        said = done.stderr.decode("utf-8", errors="replace").strip()
        try:
            there = git.run("ls-remote", "--", git.url, f"refs/heads/{name}").split("\t")[0]
        except Stop as stop:
            raise Stop(UNKNOWN if stop.code == UNAVAILABLE else stop.code, said) from stop
        if there != here["commit"]:
            raise Stop(FAILED, said)
    if job["input"].get("set_upstream"):
        git.run("config", f"branch.{here['branch'] or name}.merge", f"refs/heads/{name}")
        git.run("config", f"branch.{here['branch'] or name}.remote", "origin")
    return here


def status(job: Job, scratch: Path) -> Job:  # noqa: ARG001 - every action has the same shape
    """Say where the workspace is and what is not committed."""
    git = _opened(job)
    lines = git.run("status", "--porcelain=v1", "-z").split("\0")
    changes = [{"state": line[:2].strip(), "path": line[3:]} for line in lines if len(line) > len("XY ")]
    return {**_at(git), "clean": not changes, "changes": changes}


def checkout(job: Job, scratch: Path) -> Job:  # noqa: ARG001 - every action has the same shape
    """Switch to a branch, tag or commit."""
    git = _opened(job)
    git.run("checkout", "--quiet", job["input"]["ref"], "--")
    return _at(git)


def merge(job: Job, scratch: Path) -> Job:  # noqa: ARG001 - every action has the same shape
    """Merge a ref into the current branch; a conflict leaves it as it was."""
    git = _opened(job)
    before = _at(git)["commit"]
    done = git.tried("merge", "--quiet", "--no-edit", job["input"]["ref"])
    if done.returncode:
        git.tried("merge", "--abort")
        raise Stop(FAILED, done.stdout.decode("utf-8", errors="replace").strip() or "the merge failed")
    return {**_at(git), "changed": before != _at(git)["commit"]}


def fetch(job: Job, scratch: Path) -> Job:  # noqa: ARG001 - every action has the same shape
    """Fetch what is new."""
    git = _opened(job)
    git.run("fetch", "--quiet", "--no-tags", "origin", *([job["input"]["ref"]] if "ref" in job["input"] else []))
    return _at(git)
