"""api: the same application under a server and behind API Gateway."""

import json

import httpx
import pytest
from tests.functions.clouds import a_request, on_lambda, on_uvicorn


def test_api_answers_on_lambda_to_whom_it_knows(installation):
    with on_lambda("api", installation.environment) as function:
        _, known = function(a_request("GET", "/v1/plans", authorization=f"Bearer {installation.token('viewer')}"))
        _, unknown = function(a_request("GET", "/v1/plans"))
        _, ready = function(a_request("GET", "/readyz"))
        _, pushed = function(a_request("GET", "/v1/events", authorization=f"Bearer {installation.token('viewer')}"))

    assert (known["statusCode"], json.loads(known["body"])["data"]) == (200, [])
    assert (unknown["statusCode"], json.loads(unknown["body"])["code"]) == (401, "token-missing")
    assert ready["statusCode"] == 200
    assert (pushed["statusCode"], json.loads(pushed["body"])["code"]) == (501, "push-unsupported")


def test_api_answers_under_a_server_to_whom_it_knows(installation):
    bearer = {"Authorization": f"Bearer {installation.token('viewer')}"}

    with on_uvicorn("api", installation.environment) as url:
        known, unknown = httpx.get(f"{url}/v1/plans", headers=bearer), httpx.get(f"{url}/v1/plans")

    assert (known.status_code, known.json()["data"]) == (200, [])
    assert (unknown.status_code, unknown.json()["code"]) == (401, "token-missing")


def test_api_does_not_start_when_nobody_would_be_believed(installation):
    settings = {name: value for name, value in installation.environment.items() if name != "CARAPULSE_ISSUERS_FILE"}

    with pytest.raises(AssertionError, match="ended at its start"), on_uvicorn("api", settings):
        pass
