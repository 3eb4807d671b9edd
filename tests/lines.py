"""Transcripts of the console, on which several sources speak."""
from run import whole


def whole_lines(text, source):
    """The finished lines of a source."""
    lines = whole(text[:text.rfind("\n") + 1]).splitlines()
    return [line for line in lines if line.startswith(source + ": ")]
