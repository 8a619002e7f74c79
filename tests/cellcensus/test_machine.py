from cellcensus import machine


def test_machines_of_the_same_host_name_differ(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "local:host")
    found = set()
    for number in range(2):
        file = tmp_path / f"machine-id-{number}"
        file.write_text(f"{number}\n")
        monkeypatch.setattr(machine, "_MACHINE_ID", file)
        assert machine.machine_name() == machine.machine_name()
        assert ":" not in machine.machine_name()
        found |= {machine.machine_name(), machine.machine_tag()}
    assert len(found) == 4


def test_a_container_goes_by_its_host_name(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "worker")
    monkeypatch.setattr(machine, "_MACHINE_ID", tmp_path / "none")
    assert machine.machine_name() == "worker"
