"""Ingest with the real pipeline, in a pool of processes."""

import pytest

from cellcensus.settings import Settings
from flows.context import open_context
from flows.export import cell_rows
from flows.ingest import ingest_study

pytestmark = pytest.mark.integration


def test_real_recordings_in_two_processes(tmp_path, capfd):
    from pipeline.simulation.settings import SimulationSettings
    from pipeline.simulation.study import simulate_study

    folder = tmp_path / "study"
    settings = SimulationSettings(
        name="small", cells=25, mixed=1, unknown=2, purified_per_class=1, classes=("a", "b")
    )
    simulate_study(folder, settings=settings)
    recordings = sorted((folder / "recordings").iterdir())
    damaged = recordings[-1]
    damaged.write_bytes(damaged.read_bytes()[:200])
    with open_context(Settings(home=tmp_path / "home", processes=2)) as ctx:
        outcome = ingest_study(ctx, folder)
        assert outcome.exit_code == 3
        assert [name for name, _ in outcome.quarantined] == [damaged.stem]
        assert outcome.done == len(recordings) - 1
        assert ingest_study(ctx, folder).done == 0
        cells = list(cell_rows(ctx, "small"))
    assert {cell["specimen_id"] for cell in cells} >= {"M003", "P001", "P002"}
    assert all(cell["area_um2"] > 0 for cell in cells)
    assert capfd.readouterr() == ("", "")
