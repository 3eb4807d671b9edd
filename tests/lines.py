"""Transcripts of the console, on which several sources speak."""


def whole_lines(text, source):
    """The finished lines of a source. One that was ended for another source's line and drawn again later counts once, whole."""
    lines = [line for line in text[:text.rfind("\n") + 1].splitlines() if line.startswith(source + ": ")]
    return [line for line, after in zip(lines, lines[1:] + [""]) if not after.startswith(line)]
