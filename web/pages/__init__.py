"""The pages beside the bench: studies, models, control charts, quarantine, jobs, operations.

Each module has a router; :data:`ROUTERS` is what the application includes.
"""

from web.pages import controls, jobs, models, operations, quarantine, study, tour

ROUTERS = (
    jobs.router,
    study.router,
    models.router,
    controls.router,
    quarantine.router,
    operations.router,
    tour.router,
)
"""In the order in which they are asked."""
