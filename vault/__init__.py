"""Secrets at rest. Belongs to nobody: whoever keeps a secret in the database may use it."""
