"""An error -> what an operator can do about it, in one line, and an exit code."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

OK, ERROR, USAGE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is said on stderr, a line an error."""

    lines: list[str]
    exit_code: int = ERROR


def explain(error: Exception) -> Explanation | None:
    """None for what no operator can mend: a defect, which is shown with its traceback."""
    if isinstance(error, ModuleNotFoundError):
        return Explanation([_missing(error)])
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        return Explanation([f"{error.filename}: {reason}" if error.filename else str(error)])
    return _explain_settings(error) or _explain_store(error)


def _explain_settings(error: Exception) -> Explanation | None:
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from issuer.configuration import problems_of

    if isinstance(error, ValidationError):
        return Explanation([str(problem) for problem in problems_of(error)], USAGE)
    return Explanation([str(error)], USAGE) if isinstance(error, SettingsError) else None


def _explain_store(error: Exception) -> Explanation | None:
    from sqlalchemy.exc import SQLAlchemyError

    from issuer.obstacle import Obstacle
    from issuer.store.database import StoreUnavailable
    from issuer.store.principals import InvalidName
    from issuer.store.signing_keys import UnknownSigningKey
    from keys import SealBroken

    if isinstance(error, Obstacle | StoreUnavailable | InvalidName | UnknownSigningKey | SealBroken):
        return Explanation([str(error)])
    if isinstance(error, SQLAlchemyError):
        # The driver's text may hold the database's password.
        reason = f"the database does not answer ({type(error).__name__}): check HOURMARKD_DATABASE_URL"
        return Explanation([reason])
    return None


def _missing(error: ModuleNotFoundError) -> str:
    if importlib.util.find_spec("sqlmodel") and importlib.util.find_spec("pydantic_settings"):
        return f"HOURMARKD_DATABASE_URL: its driver {error.name} is not installed"
    return f"{error.name} is not installed: the service needs `pip install 'hourmark[issuer]'`"
