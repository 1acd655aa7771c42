"""Sources, and what an Alertmanager reports."""

from typing import Final

from carapulse.examples import Body, Examples

_CONTEXT: Final[Body] = {"environment": "staging", "cluster_id": "eu-1", "namespace": "shop"}
_LABELS: Final[Body] = {
    "alertname": "HighErrorRate",
    "cluster": "eu-1",
    "namespace": "shop",
    "service": "checkout",
    "severity": "critical",
}
_SAID: Final[Body] = {"summary": "checkout answers 5xx to 7.3% of requests"}

REGISTERING: Final[Examples] = {
    "An Alertmanager that signs, and what its alerts lead to": {
        "trust": "signed",
        "context": _CONTEXT,
        "routes": [
            {
                "name": "errors",
                "match": {"alertname": "HighErrorRate", "severity": "critical"},
                "workflow": "scale_service",
                "input": {"resource": "deployment/checkout", "replicas": 5},
                "context": {"service": {"$from": "service"}},
            }
        ],
    },
    "One that can only be given an address": {"trust": "path_token", "context": _CONTEXT},
}
ROTATING: Final[Examples] = {"Let the older secret hold for an hour": {"older_for_s": 3600}}
NOTIFYING: Final[Examples] = {
    "An alert fires": {
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate", cluster="eu-1"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "carapulse",
        "groupLabels": {"alertname": "HighErrorRate", "cluster": "eu-1"},
        "commonLabels": _LABELS,
        "commonAnnotations": _SAID,
        "externalURL": "https://alertmanager.example.org",
        "alerts": [
            {
                "status": "firing",
                "labels": _LABELS,
                "annotations": _SAID,
                "startsAt": "2026-11-21T12:46:10.123Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "https://prometheus.example.org/graph?g0.expr=up",
                "fingerprint": "2a23a60350021193",
            }
        ],
    }
}
