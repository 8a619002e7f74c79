import socket

import pytest
import uvicorn

from cellcensus.errors import UsageError
from web import serve


def test_it_listens_on_this_machine_only_unless_told(settings, monkeypatch):
    calls = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: calls.append(options))
    monkeypatch.setattr(serve, "_check_free", lambda *_: None)
    serve.serve(settings)
    serve.serve(settings, host="0.0.0.0", port=9)
    assert (calls[0]["host"], calls[0]["port"]) == ("127.0.0.1", 8000)
    assert (calls[1]["host"], calls[1]["port"]) == ("0.0.0.0", 9)
    assert not any(options["access_log"] for options in calls)


def test_a_port_in_use_is_said_before_the_server_starts(settings):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match="in use") as told:
            serve.serve(settings, port=other.getsockname()[1])
    assert "--port" in told.value.next_step
