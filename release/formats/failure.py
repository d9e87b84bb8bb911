"""The failure that release/repack prints."""


class Failure(Exception):
    """Bad input: the file, the error and the next step."""

    def __init__(self, where, what, help):
        super().__init__(f"{where}: {what}\nhelp: {help}")
