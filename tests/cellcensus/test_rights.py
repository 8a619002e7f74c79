from pathlib import Path

import pytest

from cellcensus.rights import MEANINGS, ROLE_RIGHTS, ROLES, Right, allows
from db.tables.people import ACCOUNT_ROLES

PAGE = Path(__file__).parents[2] / "docs" / "people.md"


def test_the_roles_are_those_of_the_database():
    assert ROLES == ACCOUNT_ROLES


@pytest.mark.parametrize("role", ROLES)
def test_everybody_may_read(role):
    assert allows(role, Right.READ)


def test_power_over_people_is_none_over_results():
    for right in (Right.REVIEW, Right.SIGN, Right.RELEASE, Right.QUARANTINE, Right.MODELS):
        assert not allows("administrator", right)


def test_who_makes_models_does_not_sign_what_they_say():
    assert not allows("scientist", Right.SIGN)
    assert not any(
        {Right.MODELS, Right.SIGN} <= rights or {Right.MODELS, Right.RELEASE} <= rights
        for rights in ROLE_RIGHTS.values()
    )


def test_an_unknown_role_may_nothing():
    assert not any(allows("janitor", right) for right in Right)


def test_the_table_in_the_docs_is_the_matrix():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    header = next(row for row in cells if row[0] == "right")
    assert tuple(header[2:]) == ROLES
    table = {row[0].strip("`"): row[1:] for row in cells if row[0].strip("`") in set(Right)}
    assert set(table) == set(Right)
    for right in Right:
        meaning, *marks = table[right]
        assert meaning == MEANINGS[right]
        assert [mark == "yes" for mark in marks] == [allows(role, right) for role in ROLES], right
