"""Git, for real: a bare repository, and every action of the manifest on it."""

import base64
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.builders.repository import FILE, Repository
from tests.builders.tools import BUILTIN, Exchange, Reply, Runs, a_connection, a_server, a_toolbox, an_invocation

from carapulse.kernel.errors import Denied, Unavailable
from carapulse.tools.errors import InputRefused
from carapulse.tools.model import Mode, OutcomeKind


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_committed_file_is_in_the_repository(repository: Repository):
    outcome = repository.run(repository.commit_file("2.0\n"))

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert repository.show("apps/checkout/version") == "2.0\n"
    assert outcome.output["changed"] is True
    assert outcome.output["commit"] == repository.commits()[0]
    assert outcome.output["previous_commit"] == repository.commits()[1]


def test_the_same_content_again_makes_no_commit(repository: Repository):
    repository.run(repository.commit_file("2.0\n"))
    before = repository.commits()

    outcome = repository.run(repository.commit_file("2.0\n"))

    assert (outcome.kind, outcome.output["changed"]) == (OutcomeKind.SUCCEEDED, False)
    assert repository.commits() == before


def test_undo_restores_what_was_captured(repository: Repository):
    invocation = repository.run.captured(repository.commit_file("2.0\n"))
    done = repository.run(invocation)

    undo = BUILTIN.undo(invocation, done.output)

    assert undo is not None
    assert repository.run(undo).kind is OutcomeKind.SUCCEEDED
    assert repository.show("apps/checkout/version") == "1.0\n"
    assert repository.run(undo).output["changed"] is False


def test_undo_of_a_new_file_removes_it(repository: Repository):
    invocation = repository.run.captured(repository.commit_file("x", path="apps/new"))
    done = repository.run(invocation)
    assert repository.show("apps/new") == "x"

    undo = BUILTIN.undo(invocation, done.output)

    assert undo is not None
    assert repository.run(undo).kind is OutcomeKind.SUCCEEDED
    assert repository.show("apps/new") is None


def test_undo_leaves_alone_what_somebody_else_changed_since(repository: Repository):
    invocation = repository.run.captured(repository.commit_file("2.0\n"))
    undo = BUILTIN.undo(invocation, repository.run(invocation).output)
    repository.write("apps/checkout/version", "3.0\n")

    assert undo is not None
    outcome = repository.run(undo)

    assert outcome.kind is OutcomeKind.FAILED
    assert repository.show("apps/checkout/version") == "3.0\n"


def test_undo_reaches_past_other_commits(repository: Repository):
    invocation = repository.run.captured(repository.commit_file("2.0\n"))
    undo = BUILTIN.undo(invocation, repository.run(invocation).output)
    repository.write("apps/other", "x")

    assert undo is not None
    assert repository.run(undo).kind is OutcomeKind.SUCCEEDED
    assert (repository.show("apps/checkout/version"), repository.show("apps/other")) == ("1.0\n", "x")


def test_a_file_that_changed_after_it_was_looked_at_is_left_alone(repository: Repository):
    invocation = repository.run.captured(repository.commit_file("2.0\n"))
    repository.write("apps/checkout/version", "1.1\n")

    outcome = repository.run(invocation)

    assert (outcome.kind, outcome.unchanged) == (OutcomeKind.FAILED, True)
    assert repository.show("apps/checkout/version") == "1.1\n"


def test_undo_without_having_seen_the_end_leaves_alone_what_is_not_ours(repository: Repository):
    invocation = repository.run.captured(repository.commit_file("2.0\n"))
    repository.write("apps/checkout/version", "1.1\n")

    undo = BUILTIN.undo(invocation)

    assert undo is not None
    assert repository.run(undo).kind is OutcomeKind.FAILED
    assert repository.show("apps/checkout/version") == "1.1\n"


def test_undo_without_having_seen_the_end_restores_what_was_written(repository: Repository):
    invocation = repository.run.captured(repository.commit_file("2.0\n"))
    repository.run(invocation)

    undo = BUILTIN.undo(invocation)

    assert undo is not None
    assert repository.run(undo).kind is OutcomeKind.SUCCEEDED
    assert repository.show("apps/checkout/version") == "1.0\n"


def test_a_restoration_is_undone_too(repository: Repository):
    invocation = repository.run.captured(repository.commit_file("2.0\n"))
    undo = BUILTIN.undo(invocation, repository.run(invocation).output)
    assert undo is not None
    again = repository.run.captured(undo)
    repository.run(again)

    back = BUILTIN.undo(again)

    assert back is not None
    assert repository.run(back).kind is OutcomeKind.SUCCEEDED
    assert repository.show("apps/checkout/version") == "2.0\n"


def test_a_file_is_read_with_its_commit(repository: Repository):
    outcome = repository.run(an_invocation("git.read_file", FILE))

    assert outcome.output["content"] == "1.0\n"
    assert outcome.output["commit"] == repository.commits()[0]


def test_a_missing_file_is_read_as_absent(repository: Repository):
    outcome = repository.run(an_invocation("git.read_file", {**FILE, "path": "no/such"}))

    assert (outcome.kind, outcome.output["exists"], outcome.output["content"]) == (OutcomeKind.SUCCEEDED, False, None)


@pytest.mark.parametrize("branch", ["locked", "release-1"])
def test_a_protected_branch_is_refused(repository: Repository, branch: str):
    with pytest.raises(Denied, match="does not allow"):
        repository.run(repository.commit_file("2.0\n", branch=branch))

    assert repository.show("apps/checkout/version", "locked") == "1.0\n"


def test_an_undeclared_repository_is_refused(repository: Repository):
    with pytest.raises(Denied):
        repository.run(repository.commit_file("2.0\n", repo="other"))


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "-x", "a//b", "a\nb", "a/./b", ""])
def test_a_path_that_leads_elsewhere_is_refused(repository: Repository, path: str):
    with pytest.raises(InputRefused) as refused:
        repository.run(repository.commit_file("2.0\n", path=path))

    assert refused.value.faults[0].pointer == "/input/path"


@pytest.mark.parametrize("path", [".git/hooks/x", "a/.GIT/config"])
def test_nobody_writes_to_git_itself(repository: Repository, path: str):
    outcome = repository.run(repository.commit_file("2.0\n", path=path))

    assert (outcome.kind, len(repository.commits())) == (OutcomeKind.FAILED, 1)


@pytest.mark.parametrize("branch", ["-f", "--upload-pack=touch x", "a b", "a\n", ":main", "+main", "@{-1}"])
def test_a_branch_that_looks_like_an_option_is_refused(repository: Repository, branch: str):
    with pytest.raises(InputRefused) as refused:
        repository.run(repository.commit_file("2.0\n", branch=branch))

    assert refused.value.faults[0].pointer == "/input/branch"


@pytest.mark.parametrize("branch", ["refs/../x", "a.lock", "a//b"])
def test_a_branch_that_git_would_not_name_so_is_refused(repository: Repository, branch: str):
    assert repository.run(repository.commit_file("2.0\n", branch=branch)).text.strip() == "not a name for a branch"


def test_content_and_message_may_hold_anything(repository: Repository):
    content, message = "quote ' \" $(x) `y` ; | & <>\n\ttab\n", "Fix the 'quote'\n\n- with lines; and $HOME"

    assert repository.run(repository.commit_file(content, message=message)).kind is OutcomeKind.SUCCEEDED

    assert repository.show("apps/checkout/version") == content


def test_a_repository_that_is_away_is_unavailable(repository: Repository):
    repository.bare.rename(repository.bare.with_name("gone"))

    with pytest.raises(Unavailable):
        repository.run(repository.commit_file("2.0\n"))


def test_a_workspace_goes_from_clone_to_push_and_back(repository: Repository):
    run, place = repository.run, {"repo": "deploy", "workspace": "w1"}
    assert run(an_invocation("git.clone", {**place, "branch": "main"})).output["commit"] == repository.commits()[0]
    folder = next(repository.bare.parent.glob("workspaces/acme/deploy/w1"))
    assert run(an_invocation("git.branch", {**place, "name": "fix", "base": "main"})).output["branch"] == "fix"
    (folder / "new").write_text("x")
    assert run(an_invocation("git.status", place)).output["changes"] == [{"state": "??", "path": "new"}]
    assert run(an_invocation("git.add", {**place, "paths": ["new"]})).kind is OutcomeKind.SUCCEEDED
    made = run(an_invocation("git.commit", {**place, "message": "New"}))
    assert (made.output["changed"], made.output["branch"]) == (True, "fix")

    push = run.captured(an_invocation("git.push", {**place, "branch": "fix", "set_upstream": True}))
    pushed = run(push)
    assert (pushed.kind, repository.show("new", "fix")) == (OutcomeKind.SUCCEEDED, "x")
    assert run(push).kind is OutcomeKind.SUCCEEDED

    undo = BUILTIN.undo(push, pushed.output)
    assert undo is not None
    assert run(undo).kind is OutcomeKind.SUCCEEDED
    assert "fix" not in repository.branches()


def test_a_push_to_a_branch_that_was_there_is_undone_by_a_commit_on_top(repository: Repository):
    run, place = repository.run, {"repo": "deploy", "workspace": "w1"}
    run(an_invocation("git.clone", place))
    (next(repository.bare.parent.glob("workspaces/acme/deploy/w1")) / "apps/checkout/version").write_text("9\n")
    run(an_invocation("git.commit", {**place, "message": "Nine", "all": True}))
    push = run.captured(an_invocation("git.push", {**place, "branch": "main"}))
    undo = BUILTIN.undo(push, run(push).output)
    assert repository.show("apps/checkout/version") == "9\n"

    assert undo is not None
    assert run(undo).kind is OutcomeKind.SUCCEEDED

    assert (repository.show("apps/checkout/version"), len(repository.commits())) == ("1.0\n", 3)


def test_a_workspace_fetches_merges_and_checks_out(repository: Repository):
    run, place = repository.run, {"repo": "deploy", "workspace": "w1"}
    run(an_invocation("git.clone", place))
    repository.write("apps/other", "x")

    assert run(an_invocation("git.fetch", {**place, "ref": "main"})).kind is OutcomeKind.SUCCEEDED
    merged = run(an_invocation("git.merge", {**place, "ref": "origin/main"}))
    assert (merged.output["changed"], merged.output["commit"]) == (True, repository.commits()[0])
    out = run(an_invocation("git.checkout", {**place, "ref": repository.commits()[1]}))
    assert (out.output["branch"], out.output["commit"]) == (None, repository.commits()[1])


def test_a_workspace_cannot_push_to_a_protected_branch(repository: Repository):
    run, place = repository.run, {"repo": "deploy", "workspace": "w1"}
    run(an_invocation("git.clone", place))

    with pytest.raises(Denied):
        run(an_invocation("git.push", {**place, "branch": "locked"}))


def over_http(repository: Repository, asked: Exchange) -> Reply:
    """Answer as a git server over HTTP that wants to know who asks."""
    expected = "Basic " + base64.b64encode(b"deployer:s3cret-password").decode()
    if asked.headers.get("authorization") != expected:
        return Reply(b"", 401, {"WWW-Authenticate": 'Basic realm="git"'})
    environment = {
        "GIT_PROJECT_ROOT": str(repository.bare.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": asked.path,
        "QUERY_STRING": urlencode(asked.query),
        "REQUEST_METHOD": asked.method,
        "CONTENT_TYPE": asked.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(asked.body)),
        "HTTP_CONTENT_ENCODING": asked.headers.get("content-encoding", ""),
        "HTTP_GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
        "REMOTE_USER": "deployer",
    }
    said = subprocess.run(
        ["git", "http-backend"], env=environment, input=asked.body, capture_output=True, check=True
    ).stdout
    head, _, body = said.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return Reply(body, int(headers.pop("Status", "200").split()[0]), headers)


@pytest.mark.parametrize(("password", "works"), [("s3cret-password", True), ("wrong-password", False)])
def test_a_password_reaches_the_server_and_nobody_else(repository: Repository, password: str, works: bool):  # noqa: FBT001 - a parameter of the test
    with a_server(lambda asked: over_http(repository, asked)) as server:
        declared = {
            "url": f"{server.url}/deploy.git",
            "username": "deployer",
            "password": {"secret": "env:GIT_PASSWORD"},
        }
        connection = a_connection("git", settings={"repositories": {"deploy": declared}})
        run = Runs(a_toolbox(connection, environment={"GIT_PASSWORD": password}))
        try:
            outcome = run(repository.commit_file("2.0\n"))
            told = outcome.model_dump_json()
        except Unavailable as problem:
            told = str(problem.facts)

    assert repository.show("apps/checkout/version") == ("2.0\n" if works else "1.0\n")
    assert password not in told + str(run.lines)


def test_capture_reads_and_changes_nothing(repository: Repository):
    invocation = repository.commit_file("2.0\n").model_copy(update={"mode": Mode.CAPTURE})

    assert repository.run(invocation).output["content"] == "1.0\n"
    assert repository.show("apps/checkout/version") == "1.0\n"
