"""A walk over every route of the application with values nobody meant: never a server error."""

import itertools
import re
from urllib.parse import quote

import pytest
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.databases import address
from tests.flows.review.conftest import STUDY
from tests.web.api.conftest import (
    app,
    calls,
    home,
    laboratory,
    opened,
    postgres,
    postgres_address,
    released,
    study,
)
from tests.web.conftest import client_as

__all__ = [
    "address",
    "app",
    "calls",
    "client_as",
    "home",
    "laboratory",
    "opened",
    "postgres",
    "postgres_address",
    "released",
    "study",
]

EXAMPLES = 4
KNOWN = [STUDY, "U1", "M1", "P1", "1", "2", "0", "index", "ada", "report.css"]
HOSTILE = [
    "",
    " ",
    ".",
    "..",
    "../../etc/passwd",
    "\x00",
    "a\x00b",
    "-1",
    str(2**31),
    str(2**64),
    "1e400",
    "NaN",
    "𝕏" * 40,
    "\ud7ff\ue000",
    "x" * 5000,
    "<script>alert(1)</script>",
    "'; DROP TABLE study; --",
    "%00",
    "%2e%2e%2f",
    "{{7*7}}",
    "9999-12-31",
    "0001-01-01",
    "\r\nX-Injected: 1",
]
TEXT = st.one_of(st.sampled_from(KNOWN), st.sampled_from(HOSTILE), st.text(max_size=12))
"""Surrogates are left out by hypothesis where they cannot be encoded."""
ENCODABLE = TEXT.filter(lambda text: text.encode("utf-8", "ignore").decode() == text)


def routes_of(app):
    """Path, methods and names of query and form fields of every route."""
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        for method in sorted(route.methods or ()):
            if method != "HEAD":
                yield method, route.path, _fields(dependant)


def _fields(dependant):
    if dependant is None:
        return []
    inner = [_fields(other) for other in dependant.dependencies]
    own = [field.alias for field in (*dependant.query_params, *dependant.body_params)]
    return [*own, *itertools.chain.from_iterable(inner)]


@pytest.fixture
def store(laboratory):
    return laboratory.store


@pytest.fixture
def visit(released, app, client_as, monkeypatch):
    """Ask for a route as somebody, with these values in its path and its fields."""
    monkeypatch.setattr("web.signin.FAILURE_TAKES_S", 0)

    def as_role(role):
        client = client_as(role)
        client.follow_redirects = False

        def ask(route, value_of, fields):
            method, pattern, _ = route
            path = re.sub(r"{[^}]+}", lambda _: quote(value_of(), safe=""), pattern)
            where = {"params": fields} if method == "GET" else {"data": fields}
            answer = client.request(method, path, **where)
            assert answer.status_code < 500, (method, path, fields)
            assert "Traceback" not in answer.text
            # Without its session it would walk from one refusal to the next.
            if not answer.headers.get("location", "").startswith("/login"):
                return
            assert client.get("/studies").status_code == 200, (method, path, fields)

        return ask

    return as_role


def routes_to_walk(app):
    routes = [route for route in routes_of(app) if route[1] != "/logout"]
    assert len(routes) > 30
    return routes


def test_no_hostile_value_breaks_a_route(app, visit):
    ask = visit("administrator")
    for route in routes_to_walk(app):
        # Half of them in the path, half in the fields: both at once would hide the second.
        if "{" in route[1]:
            for value in HOSTILE:
                ask(route, lambda value=value: value, {})
        if route[2]:
            for value in HOSTILE:
                ask(route, lambda: "U1", dict.fromkeys(route[2], value))


@pytest.mark.parametrize("role", ["reviewer"])
def test_no_request_breaks_the_application(app, visit, role):
    ask, routes = visit(role), routes_to_walk(app)

    @settings(
        max_examples=EXAMPLES * len(routes),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data(), st.sampled_from(routes))
    def walk(data, route):
        names = st.sampled_from(route[2] or ["x"])
        fields = data.draw(st.dictionaries(names, ENCODABLE, max_size=4))
        ask(route, lambda: data.draw(ENCODABLE), fields)

    walk()
