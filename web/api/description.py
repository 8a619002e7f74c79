"""The description of the programming interface: OpenAPI, with examples and the error model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from cellcensus import __version__
from web.problems import MEDIA_TYPE, Problem

REFUSALS = {
    401: "Without a token, or with one that is revoked, expired or of a closed account.",
    403: "The account may not do this.",
    404: "There is no such thing.",
    405: "This interface only reads.",
    422: "The request cannot be read; `errors` says which part.",
    500: "Something went wrong; the `id` is in the service's log.",
    503: "The database, or a file of the home, cannot be read now.",
}
TEXT = """Read studies, specimens, compositions, cells, reports and models of cellcensus.

Send `Authorization: Bearer TOKEN`; `cellcensus tokens add` makes one. Nothing can be changed here.
Values are cells per µL or shares 0 to 1, with 95 % intervals; null is *cannot be said*, never 0.
Lists come in pages: send `next` as `cursor` until it is null. For research use only."""


def describe(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    made = get_openapi(
        title="cellcensus",
        version=__version__,
        description=TEXT,
        routes=routes,
        tags=[
            {"name": "studies", "description": "Studies and what was found about them."},
            {"name": "specimens", "description": "Specimens, compositions, cells, quarantine."},
            {"name": "reports", "description": "Reports as pages, paper, FHIR and HL7."},
            {"name": "models", "description": "The registry of models."},
            {"name": "status", "description": "The state of the service."},
        ],
    )
    components = made.setdefault("components", {})
    components["schemas"].update(_problem_schemas())
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    components["responses"] = {str(status): _refusal(text) for status, text in REFUSALS.items()}
    made["security"] = [{"token": []}]
    for path in made["paths"].values():
        for operation in path.values():
            operation["responses"].update(_references())
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which we never send
        components["schemas"].pop(name, None)
    return made


def _references() -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in REFUSALS}


def _refusal(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}


def _problem_schemas() -> dict[str, Any]:
    made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**made.pop("$defs"), "Problem": made}
