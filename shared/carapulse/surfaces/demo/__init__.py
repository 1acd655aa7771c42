"""The demo: the main job from end to end, on real things that live as long as it runs, on this machine alone."""
