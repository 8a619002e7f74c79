"""A technician's day in a real browser: look, correct, hold, sign, and what others are told."""

import re

import pytest
from sqlalchemy import select

from db.store import Store
from db.tables import CellCorrection, LoginSession, ReportVersion, Review
from db.types import utc_now
from tests.web.benchhome import PASSWORD, make_home
from tests.web.browser.conftest import Person, serving

WARD = "/studies/ward/specimens/"


def rows(home, query):
    store = Store(home.settings.database_address())
    with store.reading() as session:
        found = session.scalars(query).all()
    store.close()
    return found


def below(page, selector):
    """Whether something is there and below the window; asked at once, since it may go meanwhile."""
    return page.evaluate(
        """selector => {
            const box = document.querySelector(selector)?.getBoundingClientRect();
            return box !== undefined && box.top + box.height / 2 > innerHeight;
        }""",
        selector,
    )


def test_a_list_of_twenty_is_worked_through_in_under_sixty_actions(chromium, tmp_path):
    home = make_home(tmp_path, specimens=20)
    with serving(home.settings) as address:
        tina = Person(chromium, address, "tina").sign_in()
        page = tina.page
        tina.press("j")
        tina.press("Enter")
        page.wait_for_url("**/specimens/**")
        for _ in range(20):
            if page.locator("#flags form").count():
                tina.fill("#flags input[name=reason]", "smear looked at, same picture")
                tina.press("Enter")
                tina.press("Escape")
                page.wait_for_selector("#flags .accepted")
            # The bin comes up first; where it does not fit the window, a key brings it there.
            if below(page, "#seen-bin form"):
                tina.press("b")
            page.wait_for_selector("#sign input[type=password]")
            tina.fill("#sign input[type=password]", PASSWORD)
            with page.expect_navigation():
                tina.press("Enter")
        assert "Released" in tina.text("#top")
        assert tina.said == []
        tina.context.close()
    released = rows(home, select(ReportVersion).where(ReportVersion.state == "final"))
    assert len(released) == 20
    assert tina.actions < 60, tina.actions


def test_reclassified_cells_move_and_are_counted_at_once(person, home):
    tina = person("tina")
    page = tina.open(WARD + "W002?class=neutrophil")
    before = int(tina.text("#result tbody tr:nth-child(1) td:nth-of-type(1)"))
    page.fill("#comment textarea", "half a sentence")
    page.click("#hold summary")
    page.fill("#hold textarea", "half a reason")
    tina.press("Escape")
    tina.press("g")
    tina.press("Space")
    tina.press("Shift+ArrowRight")
    assert tina.text("#chosen") == "2 chosen"
    with page.expect_response("**/corrections?**"):
        tina.press("3")
    page.wait_for_selector("#result .was")
    assert tina.text("#result tbody tr:nth-child(1) td:nth-of-type(1)").split() == [
        str(before - 2), "was", str(before),
    ]  # fmt: skip
    assert "2 cells moved by hand" in tina.text("#result")
    assert "moved to monocyte" in tina.text("#said")
    assert page.input_value("#comment textarea") == "half a sentence"
    assert page.locator("#hold textarea:visible").input_value() == "half a reason"
    assert page.locator("#gallery .cell input:focus").count() == 1
    tina.click("#shelves a:has-text('monocyte')")
    page.wait_for_selector("#gallery .from")
    assert page.locator("#gallery .from:has-text('was neutrophil')").count() == 2
    assert len(rows(home, select(CellCorrection))) == 2
    with page.expect_response("**/undo?**"):
        tina.press("z")
    page.wait_for_selector("#result .was", state="detached")
    assert int(tina.text("#result tbody tr:nth-child(1) td:nth-of-type(1)")) == before
    assert tina.said == []


def test_a_click_with_shift_chooses_a_stretch(person):
    tina = person("tina")
    page = tina.open(WARD + "W002?class=neutrophil")
    cells = page.locator("#gallery .cell")
    cells.nth(1).click()
    cells.nth(5).click(modifiers=["Shift"])
    assert tina.text("#chosen") == "5 chosen"
    cells.nth(5).hover()
    page.wait_for_selector("#cell .view.first")
    assert "Diameter" in tina.text("#cell")


def test_the_recording_is_scrubbed_with_outlines_and_ways(person):
    tina = person("tina")
    page = tina.open(WARD + "W004")
    page.locator("#film").scroll_into_view_if_needed()
    page.wait_for_selector("#film polygon.outline")
    assert page.locator("#film polyline.way").count() > 0
    first = page.get_attribute("#film image", "href")
    tina.press("f")
    with page.expect_response(re.compile("/film/.*jpg")) as got:
        tina.press("ArrowRight")
    assert got.value.ok
    page.wait_for_function("first => document.querySelector('#film image').href.baseVal !== first",
                           arg=first)  # fmt: skip
    assert tina.said == []


def test_a_hold_needs_a_reason_keeps_from_signing_and_is_lifted(person):
    tina = person("tina")
    page = tina.open(WARD + "W006")
    assert page.locator("#sign input[type=password]").count() == 1
    tina.press("h")
    page.keyboard.type("clot seen in the tube")
    page.click("#hold button")
    page.wait_for_selector("#top .flags")
    assert "On hold by Tina Berg" in tina.text("#top")
    assert "clot seen in the tube" in tina.text("#sign")
    assert page.locator("#sign input[type=password]").count() == 0
    page.fill("#hold textarea", "second tube is clear")
    page.click("#hold button")
    page.wait_for_selector("#sign input[type=password]")
    assert "lifted the hold: second tube is clear" in tina.text("#steps")


def test_what_is_asked_for_while_another_answer_is_awaited_is_not_lost(person):
    tina = person("tina")
    page = tina.open(WARD + "W016?class=neutrophil")
    held = []
    page.route("**/corrections?**", lambda route: held.append(route))  # noqa: PLW0108  Playwright marks it
    tina.press("g")
    with page.expect_request("**/corrections?**"):
        tina.press("3")
    page.click("#hold summary")
    page.fill("#hold textarea", "second tube comes")
    page.click("#hold button")
    held[0].continue_()
    page.wait_for_selector("#top .flags")
    assert "second tube comes" in tina.text("#top")
    assert "1 cell moved by hand" in tina.text("#result")


def test_a_blocking_flag_is_accepted_with_a_reason_before_signing(person):
    tina = person("tina")
    page = tina.open(WARD + "W005")
    assert "Too many unclassified cells" in tina.text("#sign")
    page.fill("#flags input[name=reason]", "smear looked at")
    page.click("#flags button")
    page.wait_for_selector("#flags .accepted")
    assert "smear looked at" in tina.text("#flags")
    page.keyboard.press("b")
    page.wait_for_selector("#sign input[type=password]")


def test_a_wrong_password_signs_nothing(person, home):
    tina = person("tina")
    page = tina.open(WARD + "W008")
    page.fill("#sign input[type=password]", "not the one")
    page.click("#sign button:has-text('Sign') >> nth=-1")
    page.wait_for_selector("#notice.stop")
    assert "not your password" in tina.text("#notice")
    assert rows(home, select(Review.signed_state).where(Review.signed_state != "open")) == []


def test_a_viewer_may_look_and_nothing_else(person):
    vera = person("vera")
    page = vera.open(WARD + "W002")
    assert "does not sign" in vera.text("#sign")
    for selector in ("#comment", "#hold", "[data-key]", "#undo"):
        assert page.locator(selector).count() == 0
    csrf = page.get_attribute("form.who input[name=csrf]", "value")
    for action in ("corrections", "comments", "hold", "flags", "bin", "rerun", "sign", "undo"):
        answer = page.request.post(
            f"{vera.address}{WARD}W002/{action}",
            form={"csrf": csrf, "seen": "0.1", "to": "monocyte", "code": "few_cells"},
        )
        assert answer.status == 403, action


def test_the_second_of_two_people_is_told_and_nothing_is_overwritten(person, home):
    tina, theo = person("tina"), person("theo")
    tina.open(WARD + "W010?class=neutrophil")
    theo.open(WARD + "W010?class=neutrophil")
    for someone, key in ((tina, "3"), (theo, "2")):
        someone.press("g")
        with someone.page.expect_response("**/corrections?**"):
            someone.press(key)
    theo.page.wait_for_selector("#notice.stop")
    assert "Tina Berg changed this result at" in theo.text("#notice")
    moved = rows(home, select(CellCorrection.after).where(CellCorrection.account_key == 1))
    assert moved[-1] == "monocyte"
    theo.click("#notice a")
    theo.page.wait_for_selector("#result .was")
    theo.press("g")
    with theo.page.expect_response("**/corrections?**") as got:
        theo.press("2")
    assert got.value.ok


def test_whoever_is_signed_out_is_shown_the_way_in(person, home):
    theo = person("theo")
    page = theo.open(WARD + "W012?class=neutrophil")
    store = Store(home.settings.database_address())
    with store.unit_of_work() as session:
        for login in session.scalars(select(LoginSession).where(LoginSession.account_key == 2)):
            login.ended_at = utc_now()
        session.commit()
    store.close()
    theo.press("g")
    theo.press("3")
    page.wait_for_selector("input[name=password]")
    page.fill("input[name=name]", "theo")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("W012"))
    assert page.locator("#result .was").count() == 0


def test_nothing_is_lost_when_the_service_is_restarted_in_mid_review(chromium, tmp_path):
    home = make_home(tmp_path, specimens=2)
    with serving(home.settings) as address:
        tina = Person(chromium, address, "tina").sign_in()
        tina.open(WARD + "W000?class=neutrophil")
        tina.press("g")
        with tina.page.expect_response("**/corrections?**"):
            tina.press("3")
        tina.page.wait_for_selector("#result .was")
    tina.press("z")
    tina.page.wait_for_selector("#notice.stop")
    assert "cannot be reached" in tina.text("#notice")
    with serving(home.settings, int(address.rpartition(":")[2])):
        tina.page.reload()
        assert "1 cell moved by hand" in tina.text("#result")
        with tina.page.expect_response("**/undo?**"):
            tina.press("z")
        tina.page.wait_for_selector("#result .was", state="detached")
        tina.context.close()


def test_comment_hold_and_signature_work_without_a_script(person, home):
    tina = person("tina", java_script_enabled=False)
    page = tina.open(WARD + "W014")
    page.fill("#comment textarea", "looks like the last one")
    page.click("#comment button")
    assert "looks like the last one" in tina.text("#steps")
    page.fill("#sign input[type=password]", PASSWORD)
    page.click("#sign button >> nth=-1")
    assert "Released" in tina.text("#top")
    pdf, missing = (
        page.request.get(f"{tina.address}{WARD}W014/versions/{number}/report.pdf")
        for number in (1, 2)
    )
    assert pdf.body().startswith(b"%PDF")
    assert pdf.headers["content-disposition"].endswith("W014.v1.pdf")
    assert missing.status == 404
    assert page.locator("#versions a").all_inner_texts() == ["Report", "PDF"]
    page.click("#versions a >> nth=0")
    assert "Limits of use" in page.inner_text("body")


@pytest.mark.parametrize("name", ["W007"])
def test_two_persons_sign_and_release_where_the_laboratory_wants_it(chromium, tmp_path, name):
    home = make_home(tmp_path, specimens=8, review={"two_person_release": True})
    with serving(home.settings) as address:
        tina = Person(chromium, address, "tina").sign_in()
        tina.open(WARD + name)
        tina.page.wait_for_selector("#sign input[type=password]")
        tina.fill("#sign input[type=password]", PASSWORD)
        with tina.page.expect_navigation():
            tina.press("Enter")
        assert "waits for its release by a second person" in tina.text("#sign")
        assert tina.page.locator("#sign input").count() == 0
        rosa = Person(chromium, address, "rosa").sign_in()
        rosa.open(WARD + name)
        rosa.fill("#sign input[type=password]", PASSWORD)
        with rosa.page.expect_navigation():
            rosa.press("Enter")
        assert "Released by Rosa Berg" in rosa.text("#sign")
        for someone in (tina, rosa):
            someone.context.close()


def test_more_cells_of_a_class_come_after_those_that_are_shown(chromium, tmp_path):
    home = make_home(tmp_path, specimens=1, copies=4)
    with serving(home.settings) as address:
        tina = Person(chromium, address, "tina").sign_in()
        page = tina.open(WARD + "W000?class=neutrophil")
        assert page.locator("#gallery .cell").count() == 60
        page.locator("#gallery .more").scroll_into_view_if_needed()
        page.locator("#gallery .cells-grid .cell").nth(60).wait_for()
        assert page.locator("#gallery #shelves").count() == 1
        assert page.locator("#gallery [data-key]").count() > 0
        assert tina.said == []
        tina.context.close()


@pytest.fixture
def slow(person):
    """Somebody at the bench whose first change is answered only when the test says so."""
    tina = person("tina")
    held = []

    def open_(address, action):
        page = tina.open(WARD + address)
        page.route(f"**/{action}?**", lambda route: held.append(route), times=1)  # noqa: PLW0108
        return tina, page

    def answer():
        held.pop().continue_()

    return open_, answer


def test_two_quick_changes_of_one_card_are_both_kept(slow):
    open_, answer = slow
    tina, page = open_("W018", "comments")
    page.fill("#comment textarea", "first thought")
    page.click("#comment button")
    page.fill("#comment textarea", "second thought")
    page.click("#comment button")
    page.click("#comment button")  # the same once more
    page.click("#rerun summary")
    page.fill("#rerun textarea", "film it again")
    page.click("#rerun button")
    page.fill("#comment textarea", "not sent yet")
    page.click("#hold summary")
    page.fill("#hold textarea", "wait for the tube")
    page.click("#hold button")
    answer()
    page.wait_for_selector("#top .flags")
    said = tina.text("#steps")
    told = ["first thought", "second thought", "film it again", "wait for the tube"]
    assert [said.count(words) for words in told] == [1, 1, 1, 1]
    assert sorted(told, key=said.index) == told[::-1]  # newest first: in the order they were asked
    assert page.input_value("#comment textarea") == "not sent yet"
    assert page.input_value("#rerun textarea") == ""
    assert tina.said == []


def test_the_next_cell_is_moved_before_the_first_is_answered(slow, home):
    open_, answer = slow
    tina, page = open_("W004?class=neutrophil", "corrections")
    shown = page.locator("#gallery .cell input")
    first, second, third = (int(shown.nth(place).get_attribute("value")) for place in range(3))
    tina.press("g")
    tina.press("3")
    tina.press("2")
    assert tina.text("#chosen") == "none chosen"
    answer()
    page.wait_for_selector("#result :text('2 cells moved by hand')")
    moved = {row.cell_id: row.after for row in rows(home, select(CellCorrection))}
    assert (moved[first], moved[second]) == ("monocyte", "lymphocyte")
    page.wait_for_selector(f"input:focus[value='{third}']", state="attached")
    assert tina.said == []


def test_a_refused_change_leaves_the_cells_where_they_were(slow):
    open_, _ = slow
    tina, page = open_("W012?class=neutrophil", "nothing")
    page.route("**/corrections?**", lambda route: route.fulfill(status=500), times=1)
    tina.press("g")
    tina.press("3")
    page.wait_for_selector("#notice.stop")
    assert tina.text("#chosen") == "1 chosen"
    assert page.locator("#gallery .leaving").count() == 0


def test_nobody_leaves_or_signs_before_the_change_is_made(slow, home):
    open_, answer = slow
    tina, page = open_("W006?class=neutrophil&list=&at=6", "corrections")
    tina.press("g")
    with page.expect_request("**/corrections?**"):
        tina.press("3")
    page.fill("#sign input[type=password]", PASSWORD)
    tina.press("Enter")
    page.wait_for_selector("#notice.stop")
    assert "on its way" in tina.text("#notice")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    here = page.url
    with page.expect_navigation():
        answer()
    assert page.url != here
    tina.open(WARD + "W006")
    assert "1 cell moved by hand" in tina.text("#result")
    assert "Released" not in tina.text("#top")
