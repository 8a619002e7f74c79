import json

import pytest

from cli.main import main
from tests.hashes import quick_hashes

__all__ = ["quick_hashes"]

pytestmark = pytest.mark.usefixtures("quick_hashes")


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    """Run a command in this process: ``call("list")`` → exit code, what was printed."""

    def run(*arguments, stdin="", group="users"):
        import io
        import sys

        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        argv = [group, *arguments, "--home", str(tmp_path), "--json"]
        monkeypatch.setattr(sys, "argv", ["cellcensus", *argv])
        with pytest.raises(SystemExit) as left:
            main(argv)
        out = capsys.readouterr().out
        return left.value.code, json.loads(out) if out else None

    return run


@pytest.fixture
def root(call):
    code, added = call(
        *("add", "Root", "--role", "administrator", "--full-name", "The Root", "--password-stdin"),
        stdin="a long password\n",
    )
    assert code == 0
    assert added["name"] == "root"


@pytest.mark.usefixtures("root")
def test_accounts_are_added_listed_and_changed(call):
    call("add", "ada", "--role", "viewer", "--password-stdin", stdin="another password\r\n")
    assert call("role", "ada", "technician")[0] == 0
    assert call("close", "ada")[1]["state"] == "closed"
    _, listed = call("list")
    assert [(row["name"], row["role"], row["state"]) for row in listed] == [
        ("ada", "technician", "closed"),
        ("root", "administrator", "open"),
    ]
    assert call("reopen", "ada")[1]["state"] == "open"
    assert call("password", "ada", "--password-stdin", stdin="a third password\n")[0] == 0


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("close", "root"), "", "last administrator"),
        (("role", "root", "viewer"), "", "last administrator"),
        (("close", "eve"), "", "no account"),
        (("add", "root", "--role", "viewer", "--password-stdin"), "a long password", "already"),
        (("add", "ada", "--role", "viewer", "--password-stdin"), "short\n", "12 are needed"),
        (("add", "ada", "--role", "viewer"), "", "no terminal"),
        (("add", "ada", "--role", "janitor"), "", "janitor"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_next_step(call, arguments, stdin, words):
    code, said = call(*arguments, stdin=stdin)
    assert code == 2
    assert words in said["error"]
    assert said["next_step"]


@pytest.mark.usefixtures("root")
def test_the_trail_names_who_gave_the_command(call):
    _, entries = call("list", group="audit")
    assert [entry["action"] for entry in entries] == ["account.added"]
    assert entries[0]["actor"].startswith("os:")


@pytest.mark.usefixtures("root")
def test_a_password_is_asked_for_twice_without_echo(call, monkeypatch):
    import click

    asked = []
    monkeypatch.setattr("cli.commands.users._is_terminal", lambda: True)
    monkeypatch.setattr(
        click, "prompt", lambda _, **how: asked.append(how) or "typed at a terminal"
    )
    assert call("password", "root")[0] == 0
    assert asked == [{"hide_input": True, "confirmation_prompt": True}]
