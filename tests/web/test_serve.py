import uvicorn

from web import serve


def test_it_listens_on_this_machine_only_unless_told(settings, monkeypatch):
    calls = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: calls.append(options))
    serve.serve(settings)
    serve.serve(settings, host="0.0.0.0", port=9)
    assert (calls[0]["host"], calls[0]["port"]) == ("127.0.0.1", 8000)
    assert (calls[1]["host"], calls[1]["port"]) == ("0.0.0.0", 9)
    assert not any(options["access_log"] for options in calls)
