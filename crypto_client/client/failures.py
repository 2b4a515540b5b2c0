"""Why a command did not do what was asked, each with its exit status (docs/cli.md)."""


class CommandFailure(Exception):
    """A command ends without its result. ``code`` is stable, ``exit_status`` is the program's."""

    exit_status = 1

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class Refused(CommandFailure):
    """The server refused, with one of the codes of docs/wire.md."""

    @property
    def retry_after_ms(self) -> int | None:
        """How long the server asks to wait, in milliseconds, where it says so."""
        value = self.details.get("retry_after_ms")
        return value if isinstance(value, int) else None


class Ended(Refused):
    """The server ended the socket and said why; what was asked in it has no answer."""


class Usage(CommandFailure):
    """The command's words do not say what to do."""

    exit_status = 2


class Unreachable(CommandFailure):
    """The server cannot be reached, or broke off."""

    exit_status = 3

    def __init__(self, code: str = "unreachable", **details: object) -> None:
        super().__init__(code, **details)


class Unverified(CommandFailure):
    """Something that had to verify did not; nothing of it is shown."""

    exit_status = 4

    def __init__(self, outcome: str, **details: object) -> None:
        super().__init__(outcome, **details)


class TimedOut(CommandFailure):
    """What was waited for did not come in time."""

    exit_status = 5

    def __init__(self, code: str = "timeout", **details: object) -> None:
        super().__init__(code, **details)


class Locked(CommandFailure):
    """The home is sealed and does not open."""

    exit_status = 6
