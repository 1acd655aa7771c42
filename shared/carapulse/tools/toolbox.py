"""The toolbox: the one way in which anything outside is read or changed."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from carapulse.kernel.errors import Unavailable
from carapulse.tools.catalogue import Catalogue, scope_of
from carapulse.tools.commands import command_of
from carapulse.tools.connections import Connections
from carapulse.tools.credentials import Credentials
from carapulse.tools.errors import ConnectionForbids, InputRefused
from carapulse.tools.expectations import Unmet, unmet
from carapulse.tools.expressions import look_up
from carapulse.tools.judging import judge_answer, judge_program, parsed_json, rules_of
from carapulse.tools.manifest import Action, HttpRun, Probe, ProgramRun, Run, Use
from carapulse.tools.model import Invocation, Mode, Outcome, OutcomeKind
from carapulse.tools.ports import Answer, Programs, Secrets, Web
from carapulse.tools.redaction import Redactor
from carapulse.tools.requests import request_of
from carapulse.tools.templates import Scope

Face = TypeVar("Face", Use, Probe)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who listens while a tool runs, and until when it may."""

    on_line: Callable[[str], None]
    cancelled: threading.Event
    ends_at: float

    @property
    def left_s(self) -> float:
        """The seconds left, never less than none."""
        return max(0.0, self.ends_at - time.monotonic())


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Runs invocations through the connections that fit them."""

    catalogue: Catalogue
    connections: Connections
    programs: Programs
    web: Web
    secrets: Secrets

    def run(
        self,
        invocation: Invocation,
        *,
        on_line: Callable[[str], None],
        cancelled: threading.Event,
        deadline_s: float,
    ) -> Outcome:
        """Run one invocation and return what is known about its effect.

        Raises Invalid for what may not be asked, Denied for what no connection allows, and Unavailable when nothing
        was changed and the same may be asked again.
        """
        action = self.catalogue.checked(invocation)
        watch = Watch(on_line, cancelled, time.monotonic() + min(deadline_s, action.timeout_s))
        match invocation.mode:
            case Mode.CAPTURE:
                return self._used(invocation, _declared(action.capture, "capture"), watch)
            case Mode.PROBE:
                return self._probed(invocation, _declared(action.probe, "probe"), watch)
            case Mode.DRY_RUN:
                if action.dry_run is None:
                    raise InputRefused("the action has no dry run", action=invocation.action)
                return self._performed(invocation, action, action.dry_run, watch)
            case Mode.RUN:
                return self._polled(invocation, action, watch)

    def _used(self, invocation: Invocation, use: Use, watch: Watch) -> Outcome:
        value = self.catalogue.used(invocation.tool, use, scope_of(invocation))
        used = invocation.model_copy(update={"action": use.action, "input": value, "mode": Mode.RUN})
        return self._polled(used, self.catalogue.checked(used), watch)

    def _probed(self, invocation: Invocation, probe: Probe, watch: Watch) -> Outcome:
        outcome = self._used(invocation, probe, watch)
        rules = rules_of(probe.applied, scope_of(invocation))
        if outcome.kind is not OutcomeKind.SUCCEEDED or len(rules) < len(probe.applied):
            return outcome.model_copy(update={"kind": OutcomeKind.UNKNOWN, "detail": "the probe can't tell"})
        missed = unmet(rules, outcome.output)
        kind = OutcomeKind.FAILED if missed else OutcomeKind.SUCCEEDED
        return outcome.model_copy(update={"kind": kind, "detail": "not applied" if missed else "applied"})

    def _polled(self, invocation: Invocation, action: Action, watch: Watch) -> Outcome:
        if action.poll is None:
            return self._performed(invocation, action, action.run, watch)
        scope, last = scope_of(invocation), None
        until, stop = rules_of(action.poll.until, scope), rules_of(action.poll.stop, scope)
        while True:
            try:
                last = self._performed(invocation, action, action.run, watch)
            except Unavailable:
                if last is None and watch.left_s <= action.poll.every_s:
                    raise
            missed = unmet(until, last.output) if last else ()
            hopeless = last and stop and not unmet(stop, last.output)
            if last and (not missed or last.kind is not OutcomeKind.SUCCEEDED):
                return last
            if hopeless or watch.left_s <= action.poll.every_s or watch.cancelled.wait(action.poll.every_s):
                return _not_so(last, missed)

    def _performed(self, invocation: Invocation, action: Action, run: Run, watch: Watch) -> Outcome:
        connection = self.connections.choose(invocation.tool, invocation.tenant, invocation.context)
        if action.output.handles and connection.secret_folder is None:
            raise ConnectionForbids("the action makes a secret and the connection has no folder to keep it in")
        credentials = Credentials(connection, self.secrets)
        scope = scope_of(invocation, connection=credentials.settings(), secret=credentials.secret)
        always = self.catalogue.manifests[invocation.tool].always
        outcome = _Attempt(self, action, run, scope, credentials, watch).outcome(always)
        outcome = self._with_handles(outcome, action, invocation, credentials)
        return redacted(outcome, credentials.redactor(action.redact))

    def _with_handles(
        self, outcome: Outcome, action: Action, invocation: Invocation, credentials: Credentials
    ) -> Outcome:
        folder = credentials.connection.secret_folder
        if not action.output.handles or folder is None or not isinstance(outcome.output, dict):
            return outcome
        output = dict(outcome.output)
        for name, expression in action.output.handles.items():
            secret = look_up(expression, output)
            output.pop(name, None)
            if isinstance(secret, str) and secret:
                credentials.seen.append(secret)
                kept = self.secrets.keep(folder, f"{invocation.tool}-{invocation.action}-{name}", secret)
                output[name] = {"secret": kept}
        return outcome.model_copy(update={"output": output})


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One request or program, from its template to its outcome."""

    box: Toolbox
    action: Action
    run: Run
    scope: Scope
    credentials: Credentials
    watch: Watch

    def outcome(self, always: tuple[Any, ...]) -> Outcome:
        if self.watch.cancelled.is_set():
            return Outcome(kind=OutcomeKind.FAILED, detail="cancelled before it began", unchanged=True)
        if isinstance(self.run, ProgramRun):
            command = command_of(self.run, always, self.scope, self.credentials, self.action.output)
            redactor = self.credentials.redactor(self.action.redact)
            on_line = redactor.lines(self.watch.on_line)
            ended = self.box.programs.run(
                command, on_line=on_line, cancelled=self.watch.cancelled, deadline_s=self.watch.left_s
            )
            return judge_program(self.action, self.run, ended, self.scope, redactor)
        scope = self.scope
        if self.run.prior is not None:
            answer = self._answer(self.run.prior, scope)
            if answer.status is None or answer.truncated or not self.run.prior.welcomes(answer.status):
                return Outcome(
                    kind=OutcomeKind.FAILED,
                    detail="what comes first could not be read",
                    http_status=answer.status,
                    unchanged=True,
                )
            scope = replace(scope, prior=parsed_json(answer.body.decode("utf-8", errors="replace")))
        return judge_answer(self.action, self.run, self._answer(self.run, scope), scope)

    def _answer(self, run: HttpRun, scope: Scope) -> Answer:
        request = request_of(run, scope, self.credentials, self.action.output.max_bytes)
        return self.box.web.send(request, cancelled=self.watch.cancelled, deadline_s=self.watch.left_s)


def _not_so(last: Outcome | None, missed: tuple[Unmet, ...]) -> Outcome:
    detail = "; ".join(f"{each.expectation.path}: {each.reason}" for each in missed) or "cancelled before an answer"
    known = last or Outcome(kind=OutcomeKind.FAILED, detail=detail)
    return known.model_copy(update={"kind": OutcomeKind.FAILED, "detail": detail})


def redacted(outcome: Outcome, redactor: Redactor) -> Outcome:
    """Return the outcome without secrets."""
    return outcome.model_copy(
        update={
            "detail": redactor.text(outcome.detail),
            "text": redactor.text(outcome.text),
            "output": redactor.value(outcome.output),
        }
    )


def _declared(face: Face | None, word: str) -> Face:
    if face is None:
        raise InputRefused(f"the action has no {word}")
    return face
