"""All pages."""

from __future__ import annotations

from fastapi import APIRouter

from projects.hub.pages import (
    account_routes,
    admin_routes,
    group_routes,
    job_routes,
    log_routes,
    notification_routes,
    overview_routes,
    run_routes,
    static_files,
    submission_routes,
    submit_routes,
    table_routes,
)

router = APIRouter(include_in_schema=False)
router.include_router(static_files.router)
router.include_router(overview_routes.router)
for each in (job_routes.router, log_routes.router, submission_routes.router):
    router.include_router(each)
    router.include_router(each, prefix="/satellites/{nickname}")
router.include_router(submit_routes.router)
router.include_router(table_routes.router)
router.include_router(run_routes.router)
router.include_router(account_routes.router)
router.include_router(admin_routes.router)
router.include_router(group_routes.router)
router.include_router(notification_routes.router)
