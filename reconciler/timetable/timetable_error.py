"""The one error of this room: an expression, a time or a zone that cannot be read."""

from __future__ import annotations


class TimetableError(ValueError):
    """What is wrong in one sentence (`message`), and the next step (`hint`, "" when the message says it all).

    It knows no file and no address: whoever read the text from a manifest or from a product adds those.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message
