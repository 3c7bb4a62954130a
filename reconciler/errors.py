"""Every error that a user can meet, split by what the reader must do next.

    ReconcilerError                      one sentence, with address, place and next step
    ├── UsageError             exit 64   the command line is wrong
    ├── ManifestError          exit 1    files are wrong: carries every problem at once
    ├── ProductError           exit 1/4  a product did not do what was asked
    │   ├── Refused                      nothing happened there
    │   │   ├── Unauthorised             the credential is not accepted, or may not do this
    │   │   │   └── NoAccessToken        the key buys no token, so that nothing else was asked
    │   │   └── Missing                  the product says that the thing is not there
    │   └── Uncertain                    perhaps it happened: the reply was lost or unreadable
    ├── LedgerError            exit 1    the memory cannot be read or written
    │   ├── Locked             exit 6    somebody else is applying
    │   └── Fenced             exit 6    our lock was broken while we ran
    ├── PlanRefused            exit 7    the saved plan is stale, expired, used, foreign or edited
    └── Interrupted            exit 130  a signal ended a wait before anything was done

An error knows its exit code; how it is worded for a terminal is `cli`'s business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.resource import Problem


class ReconcilerError(Exception):
    """The root: a sentence for a person, and `hint`, the next step."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def words(self) -> str:
        """The message and the next step as one text."""
        return f"{self.message.rstrip('.')}. {self.hint}" if self.hint else self.message


def internal_error_text(error: BaseException) -> str:
    """An error that nobody expected, for a report: its type and where it came from. Its own words may hold secrets."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = trace.tb_frame.f_code.co_filename.replace("\\", "/").split("/")
    return f"{type(error).__name__} at {'/'.join(file[-3:])}:{trace.tb_lineno}"


class UsageError(ReconcilerError):
    """The command line asks for something that makes no sense."""

    exit_code = 64


class ManifestError(ReconcilerError):
    """The files are wrong. `problems` holds all that was found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        from reconciler.quantities import counted  # its patterns are compiled for nothing where nothing is wrong

        super().__init__(f"{counted(len(problems), 'problem')} in the manifests")
        self.problems = tuple(problems)


class ProductError(ReconcilerError):
    """A product did not do what was asked. `status` is the HTTP status, where one arrived."""

    def __init__(self, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Refused(ProductError):
    """Nothing happened: the product said no, or the request never left."""


class Unauthorised(Refused):
    """401 or 403: the credential is not accepted, or may not do this."""


class NoAccessToken(Unauthorised):
    """The private key buys no access token, so that nothing else was asked."""


class Missing(Refused):
    """404 and its like: the product says that the thing is not there."""


class Uncertain(ProductError):
    """Perhaps it happened: the request left, and no answer that can be trusted came back."""


class LedgerError(ReconcilerError):
    """The ledger cannot be read or written, is damaged, or is newer than this program.

    Where it kept a request from being sent again, `left_open` is what the earlier attempts leave in doubt.
    """

    left_open: ProductError | None = None


class Locked(LedgerError):
    """Another run holds the lease of this project and environment."""

    exit_code = 6


class Fenced(LedgerError):
    """Our lease was broken, or ran out, while we held it: nothing more may be written."""

    exit_code = 6


class PlanRefused(ReconcilerError):
    """The saved plan is stale, expired, used, foreign or edited by hand."""

    exit_code = 7


class Interrupted(ReconcilerError):
    """SIGINT or SIGTERM came while the command waited, and nothing had begun."""

    exit_code = 130
