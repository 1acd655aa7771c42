"""Technology, kept at the edge: each adapter answers one port and translates its driver's errors into ours."""
