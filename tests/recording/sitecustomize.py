"""Has the answers of every issuer that the tests start recorded, in whatever way it was started, and gives
processes the clock of their test, if it has one.

Python imports this module by its name at the start of each process that has its folder on PYTHONPATH,
whatever that process is. So it costs next to nothing: it waits for `issuer.app`, and does nothing else.
"""

import os
import sys
from pathlib import Path

NAME = "RECORDED_ANSWERS"
"""The variable that names the folder for the records; without it nothing is recorded."""
CLOCK = "SHARED_CLOCK"
"""The variable that names the file of a clock; without it the clock is the machine's."""


class _Finder:
    """Finds `issuer.app` where it is, and leaves all other modules to others."""

    @staticmethod
    def find_spec(name, path=None, target=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN205, ARG004
        if name != "issuer.app":
            return None
        import answer_recorder  # type: ignore[import-not-found]  # beside this file, and on PYTHONPATH as it is

        return answer_recorder.find(name, path, os.environ[NAME])


if __name__ == "sitecustomize" and NAME in os.environ:
    sys.meta_path.insert(0, _Finder)
if __name__ == "sitecustomize" and CLOCK in os.environ:
    import shared_clock  # type: ignore[import-not-found]  # beside this file, too

    shared_clock.install(Path(os.environ[CLOCK]))
