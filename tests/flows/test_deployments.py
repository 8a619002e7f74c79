"""What runs the flows elsewhere: every entry is resolved and checked, nothing is started."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from cellcensus.errors import UsageError
from cellcensus.settings import Settings
from flows.deployments import check_schedule, serve_schedule

ROOT = Path(__file__).parents[2]


def _load(name):
    return yaml.safe_load((ROOT / name).read_text())


COMPOSE = _load("docker-compose.yml")
DEPLOYMENTS = _load("prefect.yaml")["deployments"]
OURS = [name for name, s in COMPOSE["services"].items() if "cellcensus" in s["image"]]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_every_deployment_is_a_flow_with_its_parameters(deployment):
    from flows import prefect_flows

    path, name = deployment["entrypoint"].split(":")
    assert ROOT / path == Path(prefect_flows.__file__)
    flow = getattr(prefect_flows, name)
    assert flow.name == deployment["name"]
    flow.validate_parameters(deployment["parameters"])
    assert flow.persist_result is False
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    for schedule in deployment.get("schedules", ()):
        check_schedule(schedule["cron"], schedule["timezone"])


def test_tasks_keep_nothing_and_are_tried_again():
    from prefect.cache_policies import NO_CACHE

    from flows import prefect_conductor, prefect_flows

    for task in (prefect_conductor.run_batch, prefect_flows._do):
        assert task.persist_result is False
        assert task.cache_policy == NO_CACHE
        assert task.retries >= 1


def test_a_large_study_is_few_task_runs():
    from flows.conductor import batches
    from flows.prefect_conductor import MOST_BATCHES, SMALLEST_BATCH

    most = min(MOST_BATCHES, -(-10_000 // SMALLEST_BATCH))
    assert 1 + 3 * len(batches(range(10_000), most)) <= 200


def test_the_versions_of_prefect_agree():
    pinned = re.search(r"^prefect==(.+)$", (ROOT / "constraints.txt").read_text(), re.M).group(1)
    assert COMPOSE["services"]["prefect"]["image"] == f"prefecthq/prefect:{pinned}-python3.11"
    assert _load("prefect.yaml")["prefect-version"] == pinned


def test_sqlalchemy_is_one_that_prefect_can_schedule_with():
    """With 2.1 the server of prefect 3.8.8 fails to insert scheduled runs, and nobody is told."""
    import sqlalchemy

    assert sqlalchemy.__version__.startswith("2.0.")


def test_every_image_is_pinned_and_every_secret_asked_for():
    from cellcensus import __version__

    text = (ROOT / "docker-compose.yml").read_text()
    for service in COMPOSE["services"].values():
        assert re.search(r":\d+\.\d+", service["image"])
        assert "latest" not in service["image"]
    assert {COMPOSE["services"][name]["image"].split(":")[1].split("-")[0] for name in OURS} == {
        __version__
    }
    assert "PASSWORD:?" in text
    assert re.search(r"PASSWORD:-|PASSWORD=\w", text) is None
    example = (ROOT / ".env.example").read_text()
    for name in set(re.findall(r"\$\{(\w+)", text)):
        assert re.search(rf"^{name}=", example, re.M), name
    assert re.findall(r"^\w*PASSWORD=(.*)$", example, re.M) == ["", ""]


def _secrets_service(first, second):
    """Run what the service does, with the shell, after compose's doubling of `$` is undone."""
    service = COMPOSE["services"]["secrets"]
    script = service["command"][0].replace("$$", "$")
    secrets = {"POSTGRES_PASSWORD": first, "PREFECT_POSTGRES_PASSWORD": second}
    assert set(service["environment"]) == set(secrets)
    return subprocess.run(
        [*service["entrypoint"], script],
        env={"PATH": os.environ["PATH"], **secrets},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ("", "b" * 48, "fewer than 16"),
        ("changeme", "b" * 48, "POSTGRES_PASSWORD has fewer"),
        ("a" * 48, "postgres", "PREFECT_POSTGRES_PASSWORD has fewer"),
        ("a" * 48, "a" * 48, "the same"),
        ("a" * 47 + "@", "b" * 48, "letters and digits"),
        ("a" * 47 + "'", "b" * 48, "letters and digits"),
    ],
)
def test_weak_secrets_are_refused_in_words(first, second, word):
    done = _secrets_service(first, second)
    assert done.returncode == 1
    assert word in done.stderr
    assert "openssl rand" in done.stderr
    assert first not in done.stderr or len(first) < 16


def test_strong_secrets_let_everything_start():
    assert _secrets_service("a1" * 24, "b2" * 24).returncode == 0
    for name, service in COMPOSE["services"].items():
        waits = service.get("depends_on", {})
        assert name == "secrets" or waits, name
    assert COMPOSE["services"]["database"]["depends_on"] == {
        "secrets": {"condition": "service_completed_successfully"}
    }


def test_the_first_account_is_made_by_the_command_that_is_named(tmp_path):
    page = (ROOT / "docs" / "operation.md").read_text()
    line = "docker compose run --rm web cellcensus users add NAME --role administrator"
    assert line in (ROOT / "docker-compose.yml").read_text()
    assert line in page
    words = line.partition(" web ")[2].replace("NAME", "ada").split()
    _understood_by_cellcensus(words)
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words[1:], "--password-stdin", "--home", str(tmp_path)],
        input="a long password\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert "administrator" in done.stdout


def test_logs_of_containers_are_turned():
    for name, service in COMPOSE["services"].items():
        assert service["logging"]["options"]["max-size"], name


def test_every_setting_of_the_example_exists():
    for name in re.findall(r"^(CELLCENSUS_\w+)=", (ROOT / ".env.example").read_text(), re.M):
        place = Settings
        for part in name.removeprefix("CELLCENSUS_").lower().split("__"):
            assert part in place.model_fields, name
            place = place.model_fields[part].annotation


def test_long_services_say_whether_they_are_well():
    for name, service in COMPOSE["services"].items():
        if service.get("restart") != "no" and not service.get("profiles"):
            assert service["healthcheck"]["test"], name


def test_what_is_waited_for_and_mounted_exists():
    for service in COMPOSE["services"].values():
        for other, wait in service.get("depends_on", {}).items():
            assert other in COMPOSE["services"]
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in COMPOSE["services"][other]
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            named = source in COMPOSE["volumes"] or source.startswith("${")
            assert named or (ROOT / source).is_file(), source


@pytest.mark.integration
@pytest.mark.parametrize("name", OURS)
def test_every_command_of_ours_is_understood(name):
    words = COMPOSE["services"][name]["command"]
    whole = words[2] if words[0] == "sh" else shlex.join(words)
    commands = [shlex.split(part) for part in whole.split("&&")]
    for command in commands:
        (_understood_by_cellcensus if command[0] == "cellcensus" else _understood_by_prefect)(
            command
        )


def _understood_by_cellcensus(command):
    from cli.main import cellcensus

    words = [re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in command[1:]]
    group, context = cellcensus, click.Context(cellcensus, info_name="cellcensus")
    while isinstance(group, click.Group):
        name, group, words = group.resolve_command(context, words)
        context = click.Context(group, info_name=name, parent=context)
    group.parse_args(context, words)


def _understood_by_prefect(command):
    words = [word for word in command[1:] if word != "--no-prompt"]
    path = words[:1] if words[0] == "deploy" else words[:2]
    shown = subprocess.run(
        [Path(sys.executable).with_name("prefect"), *path, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
    ).stdout
    for option in (word for word in words if word.startswith("--")):
        assert option in shown


def test_the_image_is_not_root_and_has_what_opencv_needs():
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER (?!root)", text, re.M)
    assert "libgl1" in text
    assert "libglib2.0-0" in text
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.M))
    packages = {p.parent.name for p in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert copied == packages


@pytest.mark.parametrize(
    ("cron", "timezone"), [("daily", "UTC"), ("0 2 * *", "UTC"), ("0 2 * * *", "Mars/Olympus")]
)
def test_a_schedule_that_cannot_be_kept_is_refused(cron, timezone):
    with pytest.raises(UsageError):
        check_schedule(cron, timezone)


def test_without_a_server_the_next_step_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(UsageError, match="prefect server start"):
        serve(tmp_path, [tmp_path])


def serve(home, studies, **settings):
    serve_schedule(
        Settings(home=home, **settings),
        studies,
        cron="0 2 * * *",
        inbox_cron="*/10 * * * *",
        timezone="UTC",
    )


@pytest.mark.parametrize(("folder", "words"), [(None, "nothing to do"), ("none", "no folder")])
def test_there_must_be_something_to_do(monkeypatch, tmp_path, folder, words):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    inbox = {"folder": tmp_path / folder if folder else None}
    with pytest.raises(UsageError, match=words):
        serve(tmp_path, [], inbox=inbox)


def test_everything_scheduled_runs_once_at_a_time(tmp_path):
    from flows.deployments import _deployments

    settings = Settings(home=tmp_path, inbox={"folder": tmp_path})
    made = _deployments(settings, [tmp_path], ("0 2 * * *", "*/10 * * * *", "Europe/Berlin"))
    assert {deployment.name for deployment in made} == {"nightly", "inbox", "housekeeping"}
    for deployment in made:
        assert deployment.concurrency_limit == 1
        assert deployment.concurrency_options.collision_strategy.value == "CANCEL_NEW"
        assert deployment.schedules[0].schedule.timezone == "Europe/Berlin"
        assert deployment.parameters["home"] == str(tmp_path)
