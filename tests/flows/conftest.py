import csv

import pytest

from cellcensus.settings import Settings
from flows.context import open_context
from tests.databases import address, postgres, postgres_address
from tests.flows import standins
from tests.prefectserver import connected_to, prefect_server

__all__ = ["address", "postgres", "postgres_address"]

SPECIMENS = {
    # specimen: role, donor, content of the recording
    "P1": ("purified", "D1", "round " * 9 + "lobed"),
    "P2": ("purified", "D2", "lobed " * 10),
    "M1": ("mixed", "D3", "round " * 6 + "lobed " * 4),
    "M2": ("mixed", "D4", "round " * 3 + "lobed " * 7),
    "U1": ("unknown", "D5", "round " * 5 + "lobed " * 5),
    "B1": ("blank", "D6", ""),
}


class Folder:
    """A study folder that tests may change."""

    def __init__(self, path, name="made-up"):
        self.path = path
        (path / "recordings").mkdir(parents=True)
        (path / "study.yaml").write_text(
            f"name: {name}\nclasses: [round, lobed]\n"
            "acquisition: {mode: flow, pixel_size_um: 0.3, frame_rate_hz: 50}\n"
        )
        self.rows = {}
        for specimen_id, (role, donor, content) in SPECIMENS.items():
            self.add(specimen_id, role, donor, content)
        self.write()

    def add(self, specimen_id, role, donor, content):
        self.film(specimen_id, content)
        row = {
            "specimen_id": specimen_id,
            "donor_id": donor,
            "role": role,
            "recording": f"recordings/{specimen_id}.avi",
            "imaged_volume_ul": "1.7",
            "dilution": "20",
        }
        names = content.split()
        if role == "purified":
            row |= {"cell_class": max(set(names), key=names.count), "purity": "0.95"}
        if role == "mixed":
            row |= {
                "round_per_ul": str(700 * names.count("round")),
                "lobed_per_ul": str(700 * names.count("lobed")),
                "wbc_per_ul": str(700 * len(names)),
            }
        self.rows[specimen_id] = row

    def film(self, specimen_id, content):
        (self.path / "recordings" / f"{specimen_id}.avi").write_text(content)

    def write(self):
        columns = list(dict.fromkeys(key for row in self.rows.values() for key in row))
        with (self.path / "specimens.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(self.rows.values())


@pytest.fixture
def calls(monkeypatch):
    """Stand-ins of pipeline and models; how often each was called."""
    return standins.installed(monkeypatch)


@pytest.fixture
def study(tmp_path):
    return Folder(tmp_path / "study")


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def opened(home):
    """Open the home with changed settings: ``opened(seed=2)``."""
    contexts = []

    def open_home(seed=1, database_url=None, **settings):
        ctx = open_context(
            Settings(
                home=home,
                processes=1,
                training={"seed": seed},
                database_url=database_url,
                **settings,
            )
        )
        contexts.append(ctx)
        return ctx

    yield open_home
    for ctx in contexts:
        ctx.close()


@pytest.fixture
def ctx(opened, calls):
    return opened()


# One for all tests: the client keeps sending its events to the first server it has met.
@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with prefect_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server.api


@pytest.fixture
def connected(server, tmp_path, monkeypatch):
    monkeypatch.setenv("CELLCENSUS_PROCESSES", "1")  # stand-ins exist in this process only
    with connected_to(server, tmp_path / "prefect"):
        yield
