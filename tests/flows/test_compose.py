"""What a newcomer sees of `docker compose config`, wherever Compose is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GOOD = {"POSTGRES_PASSWORD": "a1" * 12, "PREFECT_POSTGRES_PASSWORD": "b2" * 12}


def _compose():
    """`docker compose`, else `docker-compose`; neither needs an engine to look at a file."""
    if shutil.which("docker"):
        found = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if found.returncode == 0:
            return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(_compose() is None, reason="Compose is not installed here"),
]


@pytest.fixture
def folder(tmp_path):
    for name in ("docker-compose.yml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "docker", tmp_path / "docker")
    return tmp_path


def _filled(folder, **values):
    lines = (folder / ".env.example").read_text().splitlines()
    names = {line.partition("=")[0]: place for place, line in enumerate(lines) if "=" in line}
    for name, value in values.items():
        lines[names[name]] = f"{name}={value}"
    (folder / ".env").write_text("\n".join(lines) + "\n")


def _config(folder, *profiles):
    chosen = [word for name in profiles for word in ("--profile", name)]
    return subprocess.run(
        [*_compose(), *chosen, "config"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)},
    )


def test_without_an_env_file_the_next_step_is_said(folder):
    done = _config(folder)
    assert done.returncode != 0
    assert "set it in .env" in done.stderr
    assert "POSTGRES_PASSWORD" in done.stderr


def test_the_example_as_it_is_starts_nothing(folder):
    _filled(folder)
    done = _config(folder)
    assert done.returncode != 0
    assert "set it in .env" in done.stderr


def test_a_filled_file_is_understood_whole(folder):
    _filled(folder, **GOOD)
    done = _config(folder)
    assert done.returncode == 0, done.stderr
    assert "ignored" not in done.stderr
    found = yaml.safe_load(done.stdout)
    assert {"secrets", "database", "upgrade", "prefect", "scheduler", "web"} <= set(
        found["services"]
    )
    address = found["services"]["web"]["environment"]["CELLCENSUS_DATABASE_URL"]
    assert address == f"postgresql://cellcensus:{GOOD['POSTGRES_PASSWORD']}@database/cellcensus"
    assert set(found["volumes"]) == {"database", "home"}


def test_the_gpu_profile_reserves_one(folder):
    _filled(folder, **GOOD)
    done = _config(folder, "gpu")
    assert done.returncode == 0, done.stderr
    service = yaml.safe_load(done.stdout)["services"]["worker-gpu"]
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
