"""The job that seals everything anew. What runs may go on meanwhile."""

from carapulse.adapters.postgres.engine import refuse_strong_role
from carapulse.adapters.postgres.migrate import refuse_unmigrated
from carapulse.bootstrap import make_app
from carapulse.kernel.call import INSTALLATION, Actor, Call
from carapulse.resealing.model import Resealed
from carapulse.resealing.usecases import reseal_everything
from carapulse.settings import Settings
from carapulse.tracing import Trace


def reseal_installation(settings: Settings, database_url: str) -> Resealed:
    """Seal everything that is kept by the newest key, and return what still needs another."""
    app = make_app(settings, database_url)
    try:
        refuse_strong_role(app.engine)
        refuse_unmigrated(app.engine)
        actor = Actor(id="resealing", kind="service")
        return reseal_everything(
            Call(actor=actor, tenant=INSTALLATION, at=app.clock.now(), trace=Trace.begin().id), app
        )
    finally:
        app.close()
