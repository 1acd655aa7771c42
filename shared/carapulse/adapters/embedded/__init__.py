"""What the laptop needs instead of a cloud: a real Postgres from a wheel."""
