"""Documents are tested against the code: what exists is described, and what is linked exists."""

import re
from pathlib import Path

import pytest
from click import Group

from cellcensus.settings import Section, Settings
from cli.main import COMMANDS, cellcensus

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def text_of(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def commands():
    for name in COMMANDS:
        with cellcensus.make_context("cellcensus", [name], resilient_parsing=True) as context:
            command = cellcensus.get_command(context, name)
            if isinstance(command, Group):
                for sub in command.list_commands(context):
                    yield f"{name} {sub}", command.get_command(context, sub)
            else:
                yield name, command


def settings(section=Settings, prefix="CELLCENSUS_"):
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from settings(kind, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", field


def test_every_command_and_option_is_described():
    page = text_of("commands.md")
    for name, command in commands():
        assert f"`cellcensus {name}" in page, name
        for parameter in command.params:
            if parameter.param_type_name == "option" and "export" not in name:
                assert parameter.opts[0] in page, f"{name} {parameter.opts[0]}"


def test_every_setting_is_described_with_its_default():
    page = text_of("settings.md")
    for name, field in settings():
        row = next((line for line in page.splitlines() if line.startswith(f"| `{name}` |")), None)
        assert row is not None, name
        assert field.description in row, name


def test_every_exported_column_is_described():
    from reports.tables import CELLS, PREDICTIONS

    page = text_of("exports.md")
    for column in (*PREDICTIONS, *CELLS):
        assert f"`{column.name}`" in page, column


def test_every_flag_is_described():
    from reports.glossary import FLAGS

    page = text_of("flags.md")
    for code in FLAGS:
        assert f"`{code}`" in page, code


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_test_that_the_threat_model_names_exists():
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", text_of("security.md")))
    assert len(named) > 20
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []


def test_pictures_are_shown_and_small():
    pictures = [
        p for name in ("pictures", "pages") for p in sorted((ROOT / "docs" / name).iterdir())
    ]
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [path.name for path in pictures if f"{path.parent.name}/{path.name})" not in shown] == []
    assert [path.name for path in pictures if path.stat().st_size > 120_000] == []
    assert sum(path.stat().st_size for path in pictures) < 4_000_000


def test_every_finding_is_described():
    page = text_of("findings.md")
    calls = re.compile(r"""(?:violation|alert|information|_no)\(\s*(?:notes,\s*)?"([a-z_]+)\"""")
    codes = re.compile(r"""code="([a-z_]+)\"""")
    rules = re.compile(r"""_Rule\(\s*"([a-z_]+)\"""")
    found = set()
    for package, patterns in (("cellcensus/studyfolder", [calls]), ("pipeline", [codes, rules])):
        for source in (ROOT / package).rglob("*.py"):
            if "simulation" not in source.parts:
                text = source.read_text(encoding="utf-8")
                found |= {code for pattern in patterns for code in pattern.findall(text)}
    assert len(found) > 50
    assert sorted(code for code in found if f"`{code}`" not in page) == []


def test_every_flow_is_described():
    page = text_of("operation.md")
    source = (ROOT / "flows" / "prefect_flows.py").read_text(encoding="utf-8")
    flows = re.findall(r"@flow[^\n]*(?:\n[^\n]*)*?\ndef (\w+)", source)
    assert len(flows) >= 5
    for name in flows:
        assert f"`{name}`" in page, name


def test_the_example_of_a_plan_is_one(tmp_path):
    from cellcensus.changeplan import MayChange, read_plan

    example = re.search(r"```yaml\n(.*?)```", text_of("retraining.md"), re.DOTALL).group(1)
    (tmp_path / "change_plan.yaml").write_text(example, encoding="utf-8")
    plan = read_plan(Settings(home=tmp_path))
    assert plan.approval == ("ada", "os:labhead")
    for name in MayChange.model_fields:
        assert f"  {name}:" in example


def test_every_action_of_the_audit_trail_is_described():
    page = text_of("people.md")
    kinds = "account|bin|change_plan|flag|job|model|quarantine|report|rerun|result|setting"
    kinds += "|specimen|token"
    action = re.compile(rf"""["']((?:{kinds})\.[a-z_]+)["']""")
    no_actions = {"key", "html", "css", "yaml", "json", "pdf", "typ"}
    found = {
        name
        for package in ("db", "flows", "web", "cli")
        for source in (ROOT / package).rglob("*.py")
        for name in action.findall(source.read_text(encoding="utf-8"))
        if name.partition(".")[2] not in no_actions
    }
    assert len(found) >= 15
    assert sorted(name for name in found if f"`{name}`" not in page) == []
