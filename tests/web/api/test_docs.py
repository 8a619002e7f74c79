"""The page about interfaces: its examples run, and it names all there is."""

import json
import re
from pathlib import Path

import httpx
import pytest

from cellcensus.settings import DestinationSettings, Settings
from tests.flows.review.conftest import STUDY
from web.api.install import PREFIX, description

PAGE = (Path(__file__).parents[3] / "docs" / "interfaces.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_runs(released, machine, token, monkeypatch, capsys):
    def client(base_url, headers):
        machine.client.headers.update(headers)
        machine.client.base_url = base_url
        return machine.client

    monkeypatch.setattr(httpx, "Client", client)
    (code,) = blocks("python")
    names = {"service": "http://testserver", "token": token, "study": STUDY, "specimen_id": "U1"}
    exec(code, names)
    assert len(names["specimens"]) == len(released.folder.rows)
    assert names["bundle"]["resourceType"] == "Bundle"
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["final", "round"],
        ["final", "lobed"],
    ]


def test_the_destinations_shown_can_be_set(monkeypatch):
    (value,) = re.findall(r"CELLCENSUS_INTERFACES__DESTINATIONS='(.*?)'", PAGE, re.DOTALL)
    monkeypatch.setenv("CELLCENSUS_INTERFACES__DESTINATIONS", value)
    assert set(Settings().interfaces.destinations) == {"lis", "share"}
    assert set(json.loads(value)["lis"]) <= set(DestinationSettings.model_fields)


def test_every_field_of_a_destination_is_described():
    for name in DestinationSettings.model_fields:
        assert f"`{name}`" in PAGE, name


def test_every_address_is_described():
    for path in description()["paths"]:
        assert f"`{path.removeprefix(PREFIX)}`" in PAGE, path


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "mllp", "host": "x"},
        {"kind": "mllp", "host": "x", "port": 1, "format": "fhir"},
        {"kind": "file"},
        {"kind": "pigeon"},
    ],
)
def test_a_destination_that_cannot_work_is_refused(wrong):
    with pytest.raises(ValueError, match="validation error"):
        DestinationSettings.model_validate(wrong)
