"""The stages of the main job: what is to do → do it → write it down.

Each stage is a plain function that needs no Prefect and no server; :mod:`flows.prefect_flows` wraps
the same functions as Prefect flows. A stage decides by the identity of a result's recipe whether it
is done, publishes files first and commits their rows after.

- :mod:`flows.context`: ``Context``, ``Outcome``, ``open_context``
- :mod:`flows.ingest`, :mod:`flows.train`, :mod:`flows.predict`, :mod:`flows.report`: the stages
- :mod:`flows.run`: all of them; :mod:`flows.retrain`: candidate, gate, decision
- :mod:`flows.registry`, :mod:`flows.export`, :mod:`flows.status`: questions and answers
"""
