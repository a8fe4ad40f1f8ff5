"""What the command line says when something is wrong, and its exit codes."""

from __future__ import annotations

FINE = 0
FOUND = 1  # a check has found something, or a result is not finite
USAGE = 2  # the command, a file, a name or an input is wrong (argparse's code)
RAISED = 3  # the function, or wengert in differentiating it, raised an error


class UsageError(Exception):
    """The command cannot be carried out as it was given: what, and the way out."""

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(f"{what}\n  Way out: {way_out}")
        self.what, self.way_out = what, way_out


class Raised(Exception):
    """The user's function raised an error; `where` is her line."""

    def __init__(self, error: BaseException, where: str | None) -> None:
        place = f"{where}: " if where else ""
        super().__init__(f"{place}{type(error).__name__}: {error}")
        self.error = error
