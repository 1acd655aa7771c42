"""What can go wrong with an identity."""

from carapulse.kernel.errors import Denied, Invalid, Unauthenticated, Unavailable


class TokenMissing(Unauthenticated):
    """The request carries no bearer token."""

    code = "token-missing"


class TokenRefused(Unauthenticated):
    """The token is not one that we believe. The answer never says which check failed; the log does."""

    code = "token-refused"


class TokenExpired(Unauthenticated):
    """The token was good once; a new one is needed."""

    code = "token-expired"


class RoleRequired(Denied):
    """None of the actor's roles allows this."""

    code = "role-required"


class PersonRequired(Denied):
    """Only a person may do this, whatever roles a service or an agent was given."""

    code = "person-required"


class ScopeExceeded(Denied):
    """The caller may touch only a part of the tenant, and this is about more than that."""

    code = "scope-exceeded"


class TenantMismatch(Denied):
    """The request names another tenant than its token."""

    code = "tenant-mismatch"


class TokenNotMintable(Invalid):
    """No token can be made from this."""

    code = "token-not-mintable"


class KeyExposed(Invalid):
    """A private key can be read by others than its owner, or can't be read at all."""

    code = "key-exposed"


class IssuersInvalid(Invalid):
    """The file of issuers can't be used."""

    code = "issuers-invalid"


class NobodyBelieved(Invalid):
    """An installation would serve people, but there is no issuer whose tokens it could believe."""

    code = "nobody-believed"


class IssuerUnavailable(Unavailable):
    """The keys of an issuer can't be had now, so that its tokens can be neither believed nor refused."""

    code = "issuer-unavailable"
