"""The one thing of a test framework that is needed."""


def raises(kind, call):
    """Calls, and returns the exception, which must be of this kind."""
    try:
        answer = call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {answer!r}")
