"""`python -m carapulse.surfaces.cli`: the command, where its script isn't on the path."""

from carapulse.surfaces.cli.main import main

main()
