"""Every page of the console."""

from __future__ import annotations

from issuer.api.openapi import room_pages, sign_in_pages

PAGES = (*room_pages.PAGES, *sign_in_pages.PAGES)
