"""What the store refuses because of what is in it, or is not."""


class Conflict(Exception):
    """What is to be made is there already, or was."""


class NotFound(Exception):
    """What is asked for does not exist, or not any more."""
