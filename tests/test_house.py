"""The house rules that no linter checks: size of files and functions, and the layout."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "cellcensus",
    "pipeline",
    "models",
    "db",
    "flows",
    "reports",
    "web",
    "cli",
    "benchmarks",
)
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def test_the_layout_of_the_contract_is_there():
    for name in (*PACKAGES, "docs", "tests"):
        assert (ROOT / name).is_dir(), name
    for name in (
        "pyproject.toml",
        "README.md",
        "docker-compose.yml",
        "Dockerfile",
        "Makefile",
        "prefect.yaml",
        "CHANGELOG.md",
    ):
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(source):
    text = source.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def test_nothing_unpickles():
    for source in SOURCES:
        names = {
            alias.name
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        } | {
            node.module
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not names & {"pickle", "dill", "cloudpickle", "joblib", "shelve"}, source
