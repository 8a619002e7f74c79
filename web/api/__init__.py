"""The programming interface: read-only, by token, described by OpenAPI."""

from web.api.install import install

__all__ = ["install"]
