"""All pages."""

from __future__ import annotations

from fastapi import APIRouter

from projects.hub.pages import (
    account_routes,
    admin_routes,
    group_routes,
    job_routes,
    notification_routes,
    overview_routes,
    result_routes,
    static_files,
    submit_routes,
    table_routes,
)

router = APIRouter(include_in_schema=False)
router.include_router(static_files.router)
router.include_router(overview_routes.router)
router.include_router(job_routes.router)
router.include_router(job_routes.router, prefix="/satellites/{nickname}")
router.include_router(submit_routes.router)
router.include_router(table_routes.router)
router.include_router(result_routes.router)
router.include_router(account_routes.router)
router.include_router(admin_routes.router)
router.include_router(group_routes.router)
router.include_router(notification_routes.router)
