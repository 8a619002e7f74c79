import pytest

from db.tables import Account
from flows.ingest import ingest_study
from flows.predict import predict_study
from flows.review import Actor, open_bench
from flows.train import train_model
from tests.flows.conftest import address, calls, home, opened, postgres, postgres_address, study

__all__ = ["address", "calls", "home", "opened", "postgres", "postgres_address", "study"]

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

    def predict_anew(self):
        """Let other settings make another prediction by the same model."""
        self.ctx.settings = self.ctx.settings.model_copy(
            update={
                "composition": self.ctx.settings.composition.model_copy(update={"fewest_cells": 7})
            }
        )
        predict_study(self.ctx, self.folder.path)


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
