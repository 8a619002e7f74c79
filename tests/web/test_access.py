"""Who may pass: every route, every role, every way to ask for a change."""

import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import Route

from cellcensus.rights import ROLES, Right, allows
from web import access
from web.access import Visitor, check_declared, may, rights_of
from web.app import create_app
from web.bodies import LARGEST

OPEN = {"/login", "/logout", "/static/{name}", "/healthz"}
CHANGES = ("POST", "PUT", "PATCH", "DELETE")
# Something of the right kind for each parameter of a path.
PLACES = {"study": "demo", "specimen_id": "S000", "model_id": "model-1-abc", "name": "nobody"}


def routes(app):
    for route in iter_route_contexts(app.routes):
        for method in sorted(route.methods - {"HEAD", "OPTIONS"}):
            yield route, method


def address(route):
    path = route.path
    for parameter in route.dependant.path_params:
        value = PLACES.get(parameter.name, "987654")
        path = path.replace(f"{{{parameter.name}}}", value)
    return path.replace(":path}", "}")


def test_only_what_has_to_be_open_is_open(app):
    check_declared(app)
    assert {route.path for route, _ in routes(app) if rights_of(route) == []} == OPEN


@pytest.mark.usefixtures("home")
def test_nobody_gets_anything_without_signing_in(app, stranger):
    for route, method in routes(app):
        if route.path in OPEN:
            continue
        answer = stranger.request(method, address(route))
        expected = 401 if route.path.startswith("/api/") else 303
        assert answer.status_code == expected, (method, route.path)
        if expected == 303:
            assert answer.headers["location"].startswith("/login"), route.path
    assert stranger.get("/no/such/page").status_code == 303


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("role", ROLES)
def test_every_route_keeps_to_the_matrix(app, client_as, role):
    client = client_as(role)
    client.follow_redirects = False
    for route, method in routes(app):
        needed = rights_of(route)
        if route.path in OPEN or route.path == "/logout":
            continue
        answer = client.request(method, address(route))
        may_pass = all(right is None or allows(role, right) for right in needed)
        refused = answer.status_code == 403
        assert refused is not may_pass, (role, method, route.path, answer.status_code)
        # The rows of this home name files of cells that are not there.
        reads_cells = route.path.endswith(("/cells", "/report", "/report.pdf"))
        worst = 503 if reads_cells else 499
        assert answer.status_code <= worst, (role, method, route.path)
        if refused and not route.path.startswith("/api/"):
            assert "Your role does not allow that" in answer.text


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("role", ["viewer", "administrator"])
def test_the_head_of_a_page_is_that_of_the_page(app, client_as, role):
    client = client_as(role)
    client.follow_redirects = False
    changing = {"content-length", "set-cookie"}  # times and tokens differ from page to page
    for route, method in routes(app):
        whole, head = client.get(address(route)), client.head(address(route))
        assert head.status_code == whole.status_code, (method, route.path)
        assert head.content == b"", route.path
        assert {**head.headers, **dict.fromkeys(changing, "")} == {
            **whole.headers,
            **dict.fromkeys(changing, ""),
        }, route.path
    assert client.post("/").headers["allow"] == "GET, HEAD"


def test_a_stranger_gets_no_head_either(stranger):
    assert stranger.head("/studies").status_code == 303
    assert stranger.head("/login").status_code == 200
    assert stranger.head("/api/v1/studies").status_code == 401


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("token", [None, "", "wrong", "of another"])
def test_no_change_passes_without_its_token(app, client_as, token):
    other = client_as("reviewer", "rosa")
    client = client_as("administrator")
    del client.headers["X-CSRF-Token"]
    client.follow_redirects = False
    given = other.headers["X-CSRF-Token"] if token == "of another" else token
    headers = {} if given is None else {"X-CSRF-Token": given}
    form = {} if given is None else {"csrf": given}
    asked = [(m, address(r)) for r, m in routes(app) if m in CHANGES and r.path != "/login"]
    # Whether or not there is such a route.
    asked += [(method, "/") for method in CHANGES] + [("DELETE", "/no/such/page")]
    assert len(asked) > 8
    for method, place in asked:
        for how in ({"headers": headers}, {"data": form}, {"files": {"x": b"x"}, "data": form}):
            answer = client.request(method, place, **how)
            assert answer.status_code == 403, (method, place)
            assert "out of date" in answer.text or place.startswith("/api/")


@pytest.mark.parametrize(
    "how",
    [
        lambda token: {"headers": {"X-CSRF-Token": token}},
        lambda token: {"data": {"csrf": token}},
        lambda token: {"data": {"csrf": token}, "files": {"file": b"content"}},
    ],
)
def test_the_right_token_passes_in_a_header_or_any_form_and_the_form_arrives(app, client_as, how):
    from typing import Annotated

    from fastapi import Form

    @app.post("/probe", dependencies=[Depends(may(Right.READ))])
    def probe(csrf: Annotated[str, Form()] = "") -> str:
        return csrf

    client = client_as("viewer")
    token = client.headers.pop("X-CSRF-Token")
    answer = client.post("/probe", **how(token))
    assert answer.status_code == 200
    assert answer.json() == ("" if "headers" in how(token) else token)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"csrf", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n", "multipart/form-data"),
        (b"\xff\xfe" * 50, "application/x-www-form-urlencoded"),
        (b'{"csrf": "x"}', "application/json"),
    ],
)
def test_a_form_that_cannot_be_read_holds_no_token(client, content, kind):
    del client.headers["X-CSRF-Token"]
    answer = client.post("/logout", content=content, headers={"content-type": kind})
    assert answer.status_code == 403


def test_a_body_without_end_is_cut_short(client, stranger):
    assert client.post("/logout", content=b"x" * (LARGEST + 1)).status_code == 413
    assert stranger.post("/login", content=b"x" * (LARGEST + 1)).status_code == 413


@pytest.mark.usefixtures("home")
def test_a_page_leads_to_signing_in_and_back(stranger):
    answer = stranger.get("/studies/demo/?a=1&b=%26")
    assert answer.headers["location"] == "/login?next=%2Fstudies%2Fdemo%2F%3Fa%3D1%26b%3D%2526"
    assert stranger.get("/").headers["location"] == "/login"
    assert stranger.post("/logout").headers["location"] == "/login"


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(stranger):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/studies/demo/?x=1"}
    answer = stranger.post("/anything", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=%2Fstudies%2Fdemo%2F%3Fx%3D1"


def test_machines_are_answered_in_json(stranger, client):
    answer = stranger.get("/api/anything")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "You are not signed in"
    assert client.get("/api/anything").json()["title"] == "There is no such page"


@pytest.fixture
def with_tokens(app):
    """An application with one API route, and one token that may read."""
    holder = Visitor(1, "ada", "Ada", "administrator", "", narrowed_to=frozenset({Right.READ}))

    @app.get("/api/probe", dependencies=[Depends(may(Right.READ))])
    @app.post("/api/probe", dependencies=[Depends(may(Right.READ))])
    def probe() -> str:
        return "read"

    @app.get("/api/people", dependencies=[Depends(may(Right.PEOPLE))])
    def people() -> str:
        return "all"

    app.state.token_reader = lambda store, token: holder if token == "right" else None
    with TestClient(app, follow_redirects=False) as made:
        yield made


def test_a_token_reads_the_interface_and_nothing_else(with_tokens):
    bearer = {"Authorization": "Bearer right"}
    assert with_tokens.get("/api/probe", headers=bearer).json() == "read"
    assert with_tokens.post("/api/probe", headers=bearer).json() == "read"
    assert with_tokens.get("/api/probe", headers={"Authorization": "Bearer x"}).status_code == 401
    assert with_tokens.get("/api/people", headers=bearer).status_code == 403
    assert with_tokens.get("/", headers=bearer).status_code == 303  # pages take no tokens


def test_a_wrong_token_is_not_made_right_by_a_cookie(with_tokens, client_as):
    cookies = client_as("administrator").cookies
    with_tokens.cookies.update(cookies)
    assert with_tokens.get("/api/probe").status_code == 200
    assert with_tokens.post("/api/probe").status_code == 403
    for given in ("Bearer x", "Bearer ", "bearer"):
        for method in ("GET", "POST"):
            answer = with_tokens.request(method, "/api/probe", headers={"Authorization": given})
            assert answer.status_code == 401, (method, given)


def test_without_token_reader_no_token_is_right(stranger):
    assert stranger.get("/api/x", headers={"Authorization": "Bearer right"}).status_code == 401


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_route_that_declares_nothing_does_not_start(app, method):
    getattr(app, method)("/forgotten")(lambda: "open")
    with pytest.raises(RuntimeError, match="/forgotten"), TestClient(app):
        pass


def test_a_route_of_another_kind_does_not_start_either():
    app = FastAPI(openapi_url=None, routes=[Route("/raw", lambda _: None)])
    with pytest.raises(RuntimeError, match="/raw"):
        check_declared(app)


def test_websockets_are_refused(client):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass


def test_a_page_shows_what_the_visitor_may_use(client_as):
    seen = {role: client_as(role).get("/flags").text for role in ROLES}
    assert 'href="/people"' in seen["administrator"]
    assert 'href="/people"' not in seen["reviewer"]
    assert 'href="/audit"' in seen["reviewer"]
    assert 'href="/audit"' not in seen["technician"]
    assert "Sign out" in seen["viewer"]


def test_one_visitor_is_never_taken_for_another(client_as):
    one, other = client_as("technician", "ada"), client_as("viewer", "bob")
    for _ in range(3):
        assert "Ada <" in one.get("/flags").text
        assert "Bob <" in other.get("/flags").text
    assert access.visitor.current.get() is None


def test_it_starts_for_every_host_setting(settings, store):
    with TestClient(create_app(settings, hosts=("testserver",))) as client:
        assert client.get("/healthz").status_code == 200
