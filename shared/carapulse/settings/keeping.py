"""Where keys, blobs, archives and secrets are kept."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from carapulse.identity.addresses import IssuerUrl
from carapulse.settings.references import REFERENCE

_OF_VAULT = ("vault_auth", "vault_role", "vault_proof_file", "vault_mount", "vault_namespace", "vault_ca_file")


class KeepingSettings(BaseSettings):
    """What is chosen about keys, blobs, archives and stores of secrets."""

    evidence_key: str | None = Field(
        None,
        pattern=r"^kms:[A-Za-z0-9:/_-]{1,2048}$",
        description="the key that signs evidence at AWS KMS: `kms:` and its ARN, id or alias; none keeps one in a file",
    )
    former_evidence_keys: tuple[str, ...] = Field(
        (), max_length=100, description="JSON list of the verifier keys that this installation had before, newest first"
    )
    sealing_key: str | None = Field(
        None,
        pattern=REFERENCE,
        description="where the sealing key is: `aws:NAME`, `aws:NAME?stage=LABEL`, `env:NAME` or `file:PATH`; "
        "none keeps one in a file",
    )
    former_sealing_keys: tuple[Annotated[str, Field(pattern=REFERENCE)], ...] = Field(
        (),
        max_length=20,
        description="JSON list of where other sealing keys are, written as that one is: what they sealed still opens",
    )
    blobs_dir: Path | None = Field(None, description="the folder of blobs; none is `blobs` in the data directory")
    blobs_bucket: str | None = Field(
        None,
        pattern=r"^(gs://)?[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$",
        description="a bucket for blobs, instead of a folder: its name in S3, where it must keep versions, "
        "or `gs://` and its name in Cloud Storage",
    )
    vault_url: IssuerUrl | None = Field(
        None, description="the address of a Vault, for references `vault:MOUNT/PATH#FIELD`"
    )
    vault_auth: Literal["token", "kubernetes", "approle"] | None = Field(
        None, description="by what Vault knows us: a token, a pod's service account, an AppRole"
    )
    vault_role: str | None = Field(
        None, min_length=1, max_length=255, description="the role of a service account, or the role id of an AppRole"
    )
    vault_proof_file: Path | None = Field(
        None, description="the file with the token, with the service account's token, or with the AppRole's secret id"
    )
    vault_mount: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$",
        description="where Vault has the way to log in; none is its own name",
    )
    vault_namespace: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_./-]{1,255}$", description="the namespace within Vault; none is the root"
    )
    vault_ca_file: Path | None = Field(
        None, description="who vouches for Vault's server; none is whom the machine trusts"
    )
    evidence_bucket: str | None = Field(
        None,
        min_length=3,
        max_length=63,
        description="a bucket of S3 with object lock, for archives of events, instead of the place of blobs",
    )
    evidence_lock_days: int | None = Field(
        None, ge=1, le=36_500, description="days that an archive is locked there; none leaves that to the bucket"
    )
    evidence_lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = Field(
        "GOVERNANCE", description="whether those who are allowed to may lift such a lock, or nobody"
    )

    @model_validator(mode="after")
    def tell_vault_who_we_are(self) -> Self:
        """Refuse a Vault that would not know us, and what is meant for a Vault that nobody named."""
        if self.vault_url is None:
            told = [name for name in _OF_VAULT if getattr(self, name) is not None]
            if told:
                raise ValueError(f"CARAPULSE_{told[0].upper()} is set without CARAPULSE_VAULT_URL")
            return self
        if self.vault_auth is None or self.vault_proof_file is None:
            raise ValueError("CARAPULSE_VAULT_URL needs CARAPULSE_VAULT_AUTH and CARAPULSE_VAULT_PROOF_FILE")
        if (self.vault_auth == "token") != (self.vault_role is None):
            raise ValueError("CARAPULSE_VAULT_ROLE belongs to the logins kubernetes and approle, and to no token")
        return self

    @model_validator(mode="after")
    def keep_once(self) -> Self:
        """Refuse two places for one thing, and a lock without what it locks."""
        if self.blobs_bucket is not None and self.blobs_dir is not None:
            raise ValueError("CARAPULSE_BLOBS_DIR and CARAPULSE_BLOBS_BUCKET name two places for the same blobs")
        if self.evidence_lock_days is not None and self.evidence_bucket is None:
            raise ValueError("CARAPULSE_EVIDENCE_LOCK_DAYS is set without CARAPULSE_EVIDENCE_BUCKET")
        if "evidence_lock_mode" in self.model_fields_set and self.evidence_lock_days is None:
            raise ValueError("CARAPULSE_EVIDENCE_LOCK_MODE locks nothing without CARAPULSE_EVIDENCE_LOCK_DAYS")
        return self
