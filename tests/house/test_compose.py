"""What compose.yml says is well formed, names settings that exist, and gives nobody more than is needed."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from carapulse.settings import Settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "infra" / "local" / "compose.yml"
COMPOSE = yaml.safe_load(FILE.read_text())
SERVICES = COMPOSE["services"]
OURS = {name: told for name, told in SERVICES.items() if told["image"].startswith("carapulse")}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_file_is_what_the_specification_of_compose_files_allows():
    tool = Path(sys.executable).with_name("check-jsonschema")

    found = subprocess.run(
        [tool, "--builtin-schema", "vendor.compose-spec", FILE], check=False, capture_output=True, text=True
    )

    assert found.returncode == 0, found.stdout


def test_an_image_has_a_version_and_ours_is_this_one():
    assert {told["image"] for told in OURS.values()} == {f"carapulse:{VERSION}"}
    assert all(told["image"].rpartition(":")[2] not in ("", "latest") for told in SERVICES.values())


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_can_write_to_its_own_programs(name):
    told = SERVICES[name]

    assert told["read_only"] is True
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in told


@pytest.mark.parametrize("name", OURS)
def test_ours_get_settings_that_exist_and_passwords_by_file_alone(name):
    told = OURS[name]
    given = told["environment"]

    assert told["cap_drop"] == ["ALL"]
    assert set(given) <= {f"CARAPULSE_{each.upper()}" for each in Settings.model_fields}
    assert {value for value in given.values() if value.startswith("/run/secrets/")} == {
        f"/run/secrets/{each}" for each in told["secrets"]
    }


def test_the_owners_password_is_given_to_what_migrates_and_not_to_what_serves():
    who = {name for name, told in SERVICES.items() if any("owner" in each for each in told["secrets"])}

    assert who == {"postgres", "migrate"}


def test_every_secret_is_one_that_the_script_makes(tmp_path):
    subprocess.run([ROOT / "infra" / "local" / "secrets.sh", tmp_path / "secrets"], check=True)
    made = {f"./secrets/{each.name}" for each in (tmp_path / "secrets").iterdir()}

    again = subprocess.run(
        [ROOT / "infra" / "local" / "secrets.sh", tmp_path / "secrets"], check=False, capture_output=True, text=True
    )

    assert {each["file"] for each in COMPOSE["secrets"].values()} == made
    assert "is there already" in again.stderr
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
