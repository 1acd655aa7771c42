"""The reference page says what the commands say."""

from carapulse.surfaces.cli.main import COMMANDS
from carapulse.surfaces.cli.reference import render


def test_the_page_is_the_one_that_the_commands_render(request):
    page = (request.config.rootpath / "docs/reference/command-line.md").read_text()

    assert page == render()


def test_every_command_has_its_place_on_the_page():
    page = render()

    assert [name for name in COMMANDS if f"## carapulse {name}" not in page] == []
