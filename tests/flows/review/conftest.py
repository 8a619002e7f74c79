import pytest
from sqlalchemy import select

from db.tables import Account, AuditEntry
from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.review import Actor, open_bench
from flows.train import train_model

STUDY = "made-up"


class Laboratory:
    """A home with a predicted study, and two people who work there."""

    def __init__(self, ctx, study):
        self.ctx, self.folder = ctx, study
        self.store, self.settings = ctx.store, ctx.settings
        self.ada, self.bob = self.person("ada", "reviewer"), self.person("bob", "technician")

    def person(self, name, role):
        full_name = f"{name.title()} R."
        with self.store.unit_of_work() as session:
            row = Account(name=name, full_name=full_name, role=role, password_hash="x")
            session.add(row)
            session.commit()
            return Actor(row.key, name, full_name, role)

    def bench(self, specimen_id="U1"):
        return open_bench(self.store, self.settings, STUDY, specimen_id)

    def at(self, specimen_id="U1", actor=None):
        """Arguments that most steps begin with."""
        return self.store, actor or self.ada, STUDY, specimen_id

    def signing(self, specimen_id="U1", actor=None):
        """Arguments of steps that need the settings."""
        return self.store, self.settings, actor or self.ada, STUDY, specimen_id

    def set(self, section, **values):
        """Change settings of one section."""
        changed = getattr(self.settings, section).model_copy(update=values)
        self.settings = self.settings.model_copy(update={section: changed})
        self.ctx.settings = self.settings

    def predict_anew(self):
        """Let other settings make another prediction by the same model."""
        self.set("composition", fewest_cells=7)
        predict_study(self.ctx, self.folder.path)

    def entries(self, action=None):
        with self.store.reading() as session:
            query = select(AuditEntry).order_by(AuditEntry.number)
            found = session.scalars(query).all()
        return [entry for entry in found if action in (None, entry.action)]


def cells_of(bench, name):
    groups = (*bench.groups, bench.bin, bench.artefacts)
    return [cell.cell_id for group in groups if group.cell_class == name for cell in group.cells]


@pytest.fixture
def laboratory(opened, calls, study, address):
    """U1 has 5 round cells, 5 lobed ones, 2 odd ones and a piece of dirt."""
    study.film("U1", "round " * 5 + "lobed " * 5 + "odd odd dirt")
    ctx = opened(database_url=address)
    ingest_study(ctx, study.path)
    train_model(ctx, [study.path])
    predict_study(ctx, study.path)
    return Laboratory(ctx, study)
