"""The actions on a repository where it is."""

from pathlib import Path

from carapulse.integrations.git.commands import FAILED, Stop
from carapulse.integrations.git.remote import Branch, Entry, Job, change_file, content_of, entry_at, open_branch


def head(job: Job, scratch: Path) -> Job:
    """Say which commit a branch is at, or null."""
    return {"commit": open_branch(job, scratch).head()}


def read_file(job: Job, scratch: Path) -> Job:
    """Say what a file holds, and in which commit."""
    branch = open_branch(job, scratch)
    commit = branch.fetched()
    entry = entry_at(branch.git, commit, job["input"]["path"])
    content = content_of(branch.git, entry)
    return {"commit": commit, "blob": entry.blob, "exists": entry.blob is not None, "content": content}


def commit_file(job: Job, scratch: Path) -> Job:
    """Make a file hold exactly this text."""
    branch = open_branch(job, scratch)
    blob = branch.git.run("hash-object", "-w", "--stdin", text=job["input"]["content"])
    seen = {"blob": job["input"]["expected_blob"]} if "expected_blob" in job["input"] else job.get("captured")
    return change_file(branch, job, Entry(blob=blob), (seen or {}).get("blob"), check=seen is not None)


def restore_file(job: Job, scratch: Path) -> Job:
    """Make a file what it was in an earlier commit, or absent if it was."""
    branch = open_branch(job, scratch)
    branch.fetched()
    branch.with_history(job["input"]["commit"])
    was = entry_at(branch.git, job["input"]["commit"], job["input"]["path"])
    written = _written(branch, job["input"])
    return change_file(branch, job, was, written.blob if written else None, check=written is not None)


def _written(branch: Branch, value: Job) -> Entry | None:
    """Return the file as it was left, where the job says so."""
    if "written_content" in value:
        return Entry(blob=branch.git.run("hash-object", "-w", "--stdin", text=value["written_content"]))
    if "written_commit" in value:
        branch.with_history(value["written_commit"])
        return entry_at(branch.git, value["written_commit"], value["path"])
    return None


def restore_tree(job: Job, scratch: Path) -> Job:
    """Make a branch hold what it held at an earlier commit, by a new commit; without one, remove the branch."""
    branch = open_branch(job, scratch)
    branch.git.refuse_protected(branch.name)
    expected, commit = job["input"]["expected"], job["input"].get("commit")
    now = branch.head()
    if now is None and commit is None:
        return {"commit": None, "previous_commit": None, "changed": False}
    now = branch.fetched()
    tree = _tree(branch, commit) if commit else None
    if tree == _tree(branch, now):
        return {"commit": now, "previous_commit": now, "changed": False}
    if now != expected:
        raise Stop(FAILED, "the branch is not where it was left")
    new = _commit_on_top(branch, now, tree, job["input"]["message"]) if tree else ""
    if not branch.push(new, now):
        raise Stop(FAILED, "the branch moved meanwhile")
    return {"commit": new or None, "previous_commit": now, "changed": True}


def _commit_on_top(branch: Branch, parent: str, tree: str, message: str) -> str:
    return branch.git.run("commit-tree", tree, "-p", parent, "-F", "-", text=message)


def _tree(branch: Branch, commit: str) -> str:
    branch.with_history(commit)
    return branch.git.run("rev-parse", f"{commit}^{{tree}}")
