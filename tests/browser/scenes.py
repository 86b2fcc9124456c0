"""Every page that people see, in each state that it has: a scene opens it, in front of a real issuer."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser import (
    care_scenes,
    door_scenes,
    own_scenes,
    platform_scenes,
    role_scenes,
    sign_in_scenes,
    token_scenes,
)
from tests.browser.stage import Stage

PROVIDERS = '{"work": {"issuer": "https://id.example", "title": "Example Work", "client_id": "hourmark"}}'
"""One that is only ever named: nothing asks it."""
SCENES: dict[str, Callable[[Stage], None]] = {
    scene.__name__: scene
    for room in (
        sign_in_scenes,
        door_scenes,
        token_scenes,
        own_scenes,
        role_scenes,
        platform_scenes,
        care_scenes,
    )
    for scene in room.SCENES
}
