"""What is to be asked for again and again."""

from typing import Final

from carapulse.examples import Examples

SCHEDULES: Final[Examples] = {
    "Start a workflow every night": {
        "name": "nightly-scale",
        "cron": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "workflow": {
            "name": "scale_service",
            "context": {"environment": "staging", "namespace": "shop"},
            "input": {"resource": "deployment/checkout", "replicas": 3},
        },
    },
    "Ask for a plan every Monday": {
        "name": "monday-look",
        "cron": "0 8 * * 1",
        "timezone": "Europe/Berlin",
        "plan": {
            "summary": "Does checkout answer?",
            "context": {"environment": "staging", "service": "checkout"},
            "steps": [
                {
                    "stage": "verify",
                    "tool": "http",
                    "action": "probe",
                    "input": {"url": "https://checkout.example.org/health"},
                }
            ],
        },
    },
}
CHANGING: Final[Examples] = {"Switch it off": {"enabled": False}, "Another time": {"cron": "0 3 * * 1-5"}}
