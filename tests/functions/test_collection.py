"""scheduler and collection: what is due is asked for once and reported once, through both kinds of cloud."""

from tests.functions.clouds import on_google, on_lambda

from carapulse.collection.model import CollectorTerms
from carapulse.collection.usecases import put_collector
from carapulse.kernel.context import Context
from carapulse.runtime.minute import do_minute


def a_due_run(installation):
    """Have a collector that is due, let the clock tick twice, and return the one message."""
    terms = CollectorTerms(system="grafana", context=Context(environment="dev"))
    put_collector("boards", terms, installation.call("root", "admin"), installation.app)
    do_minute(installation.app)
    do_minute(installation.app)
    (message,) = installation.envelopes("collection")
    return message


def reported(installation):
    return {(each.id, each.source) for each in installation.rows("SELECT id, source FROM context_nodes")}, [
        each.actor for each in installation.rows("SELECT actor FROM events WHERE type = 'ContextRefreshed'")
    ]


WANTED = (
    {("grafana/boards/own/dashboard/b1", "boards"), ("grafana/boards/own/folder/b1", "boards")},
    ["collector:boards"],
)


def test_collection_reports_what_there_is_once_on_lambda(installation):
    message = a_due_run(installation)

    with on_lambda("collection", installation.environment) as function:
        back = [function.messages(message), function.messages(message, message.replace("acme", "evil"))]

    assert back == [[], [1]]
    assert reported(installation) == WANTED
    assert installation.shop.asked == 2


def test_collection_reports_what_there_is_once_on_cloud_run(at_google):
    message = a_due_run(at_google)

    with on_google("collection", at_google.environment) as function:
        answers = [function.message(message), function.message(message), function.message('{"what": "is this"}')]

    assert answers == [204, 204, 422]
    assert reported(at_google) == WANTED
    assert at_google.shop.asked == 2
