"""What came of an attempt, as an event."""

from carapulse.executions.drafts import Draft
from carapulse.executions.events import StepFailed, StepRetried, StepSucceeded, StepUnknown
from carapulse.executions.outputs import kept_output
from carapulse.executions.performing import Ended
from carapulse.executions.verdicts import AskProbe, Failed, Retry, Succeeded, Unknown, delay_of
from carapulse.kernel.blobs import Blobs


def note_result(draft: Draft, ended: Ended, blobs: Blobs) -> None:
    """Draft what came of an attempt; EventOutOfPlace if somebody else has taken it over."""
    attempt = ended.attempt
    names = {"execution_id": draft.state.id, **attempt.names}
    draft.lines += ended.lines
    match ended.verdict:
        case Succeeded(outcome, by_probe):
            kept = kept_output(attempt.step, (attempt.phase, attempt.fence), outcome, blobs)
            draft.outputs += [kept] if kept else []
            facts = {"output_digest": kept and kept.digest, "duration_ms": outcome.duration_ms, "by_probe": by_probe}
            draft.note(StepSucceeded(**names, **facts))
        case Retry(error, effect):
            retry_at = draft.at + delay_of(attempt.terms.longest_delay_s)
            draft.note(StepRetried(**names, error=error, effect=effect, retry_at=retry_at))
        case Failed(error, effect):
            draft.note(StepFailed(**names, error=error, effect=effect))
        case Unknown(error) | AskProbe(error):
            draft.note(StepUnknown(**names, error=error))
