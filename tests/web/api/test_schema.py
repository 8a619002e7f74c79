"""The whole interface against its own description, by schemathesis."""

import warnings

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.flows.review.conftest import STUDY
from web.api.description import REFUSALS
from web.api.install import description

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.specs.openapi.checks import negative_data_rejection

EXAMPLES = 20
POSITIVE, NEGATIVE = schemathesis.GenerationMode


class Running:
    """The application as it runs already: it is not started again for every request."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        for word in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{word}.complete"})


@pytest.fixture
def schema(app, machine):
    headers = {"Authorization": machine.client.headers["Authorization"]}
    made = schemathesis.openapi.from_asgi("/api/v1/openapi.json", Running(app), headers=headers)
    made.sent_along = headers
    return made


@pytest.fixture
def names(released, machine):
    """Names that exist: without them hardly more than refusals would be tried."""
    (model,) = machine("/models")[1]["items"]
    return {"study": STUDY, "specimen_id": "U1", "model_id": model["model_id"]}


def statuses(schema, path, mode, change=lambda case: None, **options):
    """Statuses of valid (or invalid) requests; each answer is held against the description."""
    seen = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path]["GET"].as_strategy(generation_mode=mode), changed=st.booleans())
    def check(case, changed):
        if changed:
            change(case)
        answer = case.call_and_validate(headers=schema.sent_along, **options)
        seen.add(answer.status_code)

    check()
    return seen


def test_answers_to_valid_requests_are_as_described(schema, names):
    def name_what_exists(case):
        case.path_parameters = {name: names[name] for name in case.path_parameters or {}}

    for path in description()["paths"]:
        seen = statuses(schema, path, POSITIVE, name_what_exists)
        assert 200 in seen, path
        assert seen <= {200, 404}, path


def test_invalid_requests_never_break_it(schema, names):
    for path in description()["paths"]:
        # Our token replaces whatever was made of it, and what was invalid may be valid by that.
        seen = statuses(schema, path, NEGATIVE, excluded_checks=[negative_data_rejection])
        assert max(seen) < 500, path


def test_every_operation_tells_its_refusals_and_has_words():
    for path, operations in description()["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            assert {str(status) for status in REFUSALS} < operation["responses"].keys()
