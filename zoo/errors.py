"""Errors that a user can mend. Each message is one line: what was expected, and what to do."""


class ZooError(ValueError):
    """A wrong name, value, path, shape or file. Command-line tools print the message and exit with 2."""


class WeightsNotFoundError(ZooError):
    """Pretrained weights are neither given by path, nor cached, nor to be downloaded.

    Attributes:
        licence: of the weights that were wanted, where they are published ones.
    """

    def __init__(self, message: str, license: str | None = None) -> None:
        super().__init__(message)
        self.license = license
