"""What every page is given: the database and the settings of the application it belongs to."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from cellcensus.settings import Settings
from db.store import Store


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


Database = Annotated[Store, Depends(_store)]
Configured = Annotated[Settings, Depends(_settings)]
