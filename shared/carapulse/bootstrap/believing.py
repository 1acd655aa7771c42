"""Whose tokens are believed, and whose keys."""

from sqlalchemy import Engine

from carapulse.adapters.oidc.configuration import load_issuers
from carapulse.adapters.oidc.keys import FetchedKeys
from carapulse.adapters.oidc.publication import Publication
from carapulse.adapters.postgres.keys import PostgresKeyDirectory
from carapulse.adapters.sealing import AesGcmSealer
from carapulse.adapters.web.client import HttpxWeb
from carapulse.apikeys.proving import KeyVerifier
from carapulse.identity.accounts import ServiceAccount
from carapulse.identity.bearers import Bearers
from carapulse.identity.errors import NobodyBelieved
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.issuers import TrustedIssuer
from carapulse.identity.tokens import Issuer, TokenVerifier
from carapulse.kernel.clock import Clock
from carapulse.settings import Settings


def bearers_of(settings: Settings, engine: Engine, sealer: AesGcmSealer, clock: Clock) -> Bearers:
    """Return what tells whose a token or a key is."""
    keys = KeyVerifier(PostgresKeyDirectory(engine), sealer, clock)
    return Bearers(TokenVerifier(_issuers(settings, clock), clock), keys)


def refuse_nobody_believed(settings: Settings) -> None:
    """Raise NobodyBelieved for settings under which no token could be good: nothing that serves people may start so."""
    if settings.issuers_file is None and settings.database_url is not None:
        raise NobodyBelieved("with a database of your own, CARAPULSE_ISSUERS_FILE must say whose tokens are believed")


def _issuers(settings: Settings, clock: Clock) -> list[Issuer]:
    """Return whose tokens are believed; the development issuer's on the embedded stack alone, if none is chosen."""
    if settings.issuers_file is not None:
        return [trusted(each, clock) for each in load_issuers(settings.issuers_file)]
    if settings.database_url is not None:
        return []
    return [DevelopmentIssuer.load_or_make(settings.data_dir, clock).issuer]


def pushing(settings: Settings, clock: Clock) -> TokenVerifier | None:
    """Return what tells whether Google pushes, as the account that was chosen; None where Google doesn't push."""
    if settings.push_audience is None or settings.push_account is None:
        return None
    account = ServiceAccount(issuer=settings.push_issuer, audience=settings.push_audience, email=settings.push_account)
    return TokenVerifier([trusted(account, clock)], clock)


def trusted(issuer: TrustedIssuer | ServiceAccount, clock: Clock) -> Issuer:
    """Return an issuer outside as a verifier sees it; its keys are fetched when a token needs them."""
    keys = FetchedKeys(Publication(issuer, HttpxWeb()), clock)
    return Issuer(issuer.issuer, issuer.audience, keys, issuer.algorithms, issuer.principal)
