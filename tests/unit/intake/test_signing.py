"""Only who holds the secret is believed, and only for five minutes."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.builders.intake import NOON, SECRET

from carapulse.intake.errors import SourceRefused
from carapulse.intake.signing import (
    SignatureHeaders,
    new_secret,
    new_token,
    sign,
    token_digest,
    verify_signature,
    verify_token,
)

BODY = b'{"test": 2432232314}'
PUBLISHED_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PUBLISHED_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
PUBLISHED_TIMESTAMP = "1614265330"
PUBLISHED_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(*, webhook_id="msg_1", at=NOON, signature=None, secret=SECRET, body=BODY):
    timestamp = str(int(at.timestamp()))
    return SignatureHeaders(
        id=webhook_id, timestamp=timestamp, signature=signature or sign(secret, webhook_id, timestamp, body)
    )


def test_the_published_vector_of_standard_webhooks_is_what_we_sign():
    assert sign(PUBLISHED_SECRET, PUBLISHED_ID, PUBLISHED_TIMESTAMP, BODY) == PUBLISHED_SIGNATURE


def test_the_published_vector_of_standard_webhooks_is_believed():
    given = SignatureHeaders(id=PUBLISHED_ID, timestamp=PUBLISHED_TIMESTAMP, signature=PUBLISHED_SIGNATURE)
    at = datetime.fromtimestamp(int(PUBLISHED_TIMESTAMP), UTC)

    assert verify_signature(given, BODY, [PUBLISHED_SECRET], at) == PUBLISHED_ID


def test_one_right_signature_among_several_is_enough():
    given = headers()
    given = given.model_copy(update={"signature": f"v1a,abc v1,bm9uZQ== {given.signature}"})

    assert verify_signature(given, BODY, [SECRET], NOON) == "msg_1"


def test_each_of_several_secrets_is_good_while_they_are_rotated():
    assert verify_signature(headers(secret=SECRET), BODY, [new_secret(), SECRET], NOON) == "msg_1"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_message_is_good_for_five_minutes(seconds):
    given = headers(at=NOON + timedelta(seconds=seconds))

    assert verify_signature(given, BODY, [SECRET], NOON) == "msg_1"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(headers(at=NOON - timedelta(seconds=301)), id="too old"),
        pytest.param(headers(at=NOON + timedelta(seconds=301)), id="from the future"),
        pytest.param(headers(secret=new_secret()), id="another secret"),
        pytest.param(headers(body=BODY + b" "), id="another body"),
        pytest.param(headers().model_copy(update={"id": "msg_2"}), id="another id"),
        pytest.param(headers().model_copy(update={"id": None}), id="no id"),
        pytest.param(headers().model_copy(update={"timestamp": None}), id="no timestamp"),
        pytest.param(headers().model_copy(update={"signature": None}), id="no signature"),
        pytest.param(headers().model_copy(update={"signature": ""}), id="empty signature"),
        pytest.param(headers().model_copy(update={"signature": "v1,"}), id="signature without bytes"),
        pytest.param(headers().model_copy(update={"signature": "v1,ÿ"}), id="signature not ASCII"),
        pytest.param(headers(webhook_id="a.b"), id="an id with a dot"),
        pytest.param(headers(webhook_id="a" * 129), id="an endless id"),
        pytest.param(headers().model_copy(update={"timestamp": "١٢"}), id="digits that are not ASCII"),
        pytest.param(headers().model_copy(update={"timestamp": "9" * 40}), id="an endless timestamp"),
    ],
)
def test_anything_else_is_refused(given):
    with pytest.raises(SourceRefused, match="could not be verified"):
        verify_signature(given, BODY, [SECRET], NOON)


def test_nothing_is_believed_when_there_is_no_secret():
    with pytest.raises(SourceRefused):
        verify_signature(headers(), BODY, [], NOON)


def test_the_signature_of_one_version_is_not_that_of_another():
    given = headers()
    given = given.model_copy(update={"signature": "v2," + str(given.signature).removeprefix("v1,")})

    with pytest.raises(SourceRefused):
        verify_signature(given, BODY, [SECRET], NOON)


def test_a_path_token_is_known_by_its_digest_alone():
    token = new_token()

    verify_token(token, [token_digest(new_token()), token_digest(token)])

    with pytest.raises(SourceRefused):
        verify_token(token + "x", [token_digest(token)])
