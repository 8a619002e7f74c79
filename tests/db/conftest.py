import pytest

from cellcensus.study import Acquisition, CellHints, Mode, Role, Specimen, Study
from db.schema import upgrade
from db.store import Store
from tests.databases import address, postgres, postgres_address

__all__ = ["address", "postgres", "postgres_address"]


@pytest.fixture
def store(address):
    upgrade(address)
    store = Store(address)
    yield store
    store.close()


@pytest.fixture
def study(tmp_path):
    return Study(
        folder=tmp_path / "study",
        name="made-up",
        classes=("round", "lobed"),
        acquisition=Acquisition(Mode.FLOW, 0.3, 50.0),
        cells=CellHints(diameter_um=(5.0, 25.0)),
        specimens=(
            Specimen("P1", "D1", Role.PURIFIED, "P1.avi", cell_class="round", purity=0.97),
            Specimen(
                "M1",
                "D2",
                Role.MIXED,
                "M1.avi",
                imaged_volume_ul=1.7,
                dilution=20.0,
                wbc_per_ul=7000.0,
                per_ul={"round": 4000.0},
                percent={"lobed": 40.0},
                cv={"round": 0.03},
            ),
            Specimen("U1", "D3", Role.UNKNOWN, "U1.avi"),
        ),
    )
