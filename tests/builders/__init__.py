"""What tests build from."""
