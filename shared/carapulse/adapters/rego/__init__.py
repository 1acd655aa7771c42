"""Rego: evaluates `policies/` in process with rego-cpp (regopy)."""
