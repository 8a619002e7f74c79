"""The programming interface: read-only, by token, described by OpenAPI."""
