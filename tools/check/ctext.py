"""C text without a compiler: comments and strings blanked, tokens, functions, prototypes.

Good enough for code that keeps the house rules (always braces, no function-like macro that opens a brace). Positions
are kept: a blanked text has the same length and the same lines as the source.
"""
import re

KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while _Alignas "
    "_Alignof _Atomic _Bool _Complex _Generic _Noreturn _Static_assert _Thread_local bool".split())
NOT_A_FUNCTION = KEYWORDS | {"__attribute__", "__asm__", "asm", "static_assert", "defined", "alignas", "typeof"}

_LEX = re.compile(
    r"""(?P<comment>/\*.*?(?:\*/|\Z)|//(?:\\\n|[^\n])*)
       |(?P<string>"(?:\\.|[^"\\\n])*"?)
       |(?P<char>'(?:\\.|[^'\\\n])*'?)
       |(?P<other>[^/"']+|/)""", re.S | re.X)
_TOKEN = re.compile(r'[A-Za-z_]\w*|\d[\w.]*|"[^"\n]*"|&&|\|\||->|\+\+|--|[^\s\w]')


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def strip(text, keep_strings=False):
    """The text with comments blanked and, unless kept, string contents blanked too."""
    out = []
    for match in _LEX.finditer(text):
        piece = match.group(0)
        kind = match.lastgroup
        if kind == "comment":
            out.append(_blank(piece))
        elif kind in ("string", "char") and not keep_strings:
            if len(piece) > 1:
                mark = '"' if kind == "string" else "0"
                out.append(mark + (_blank(piece[1:-1])) + mark)
            else:
                out.append(piece)
        else:
            out.append(piece)
    return "".join(out)


def comments(text):
    """(first line, last line, text, the comment has its lines to itself) of each comment."""
    for match in _LEX.finditer(text):
        if match.lastgroup == "comment":
            first = text.count("\n", 0, match.start()) + 1
            last = first + match.group(0).count("\n")
            begin = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", match.end())
            end = len(text) if end < 0 else end
            alone = not text[begin:match.start()].strip() and not text[match.end():end].strip()
            yield first, last, match.group(0), alone


def drop_directives(text):
    """Blank preprocessor lines with their continuations, and what stands in an #else or #elif branch."""
    out, depth_else, stack, continued = [], 0, [], False
    for line in text.split("\n"):
        is_directive = continued or line.lstrip().startswith("#")
        if is_directive and not continued:
            word = re.match(r"\s*#\s*(\w*)", line).group(1)
            if word in ("if", "ifdef", "ifndef"):
                stack.append(0)
            elif word in ("else", "elif") and stack:
                depth_else += 1 - stack[-1]
                stack[-1] = 1
            elif word == "endif" and stack:
                depth_else -= stack.pop()
        continued = is_directive and line.rstrip().endswith("\\")
        out.append(_blank(line) if is_directive or depth_else else line)
    return "\n".join(out)


def directives(text):
    """(line, name, rest) of each preprocessor directive; continuations joined; comments must be stripped before."""
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        first = index
        line = lines[index]
        while line.rstrip().endswith("\\") and index + 1 < len(lines):
            index += 1
            line = line.rstrip()[:-1] + " " + lines[index]
        match = re.match(r"\s*#\s*(\w+)(.*)", line, re.S)
        if match:
            yield first + 1, match.group(1), match.group(2).strip()
        index += 1


def tokens(text):
    """(token, line) of stripped text."""
    line, last = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", last, match.start())
        last = match.start()
        yield match.group(0), line


class Function:
    """A function found by functions(): a definition (body is its tokens) or a prototype (body is None)."""

    def __init__(self, name, line, head, body, end_line):
        self.name = name
        self.line = line
        self.head = head
        self.body = body
        self.end_line = end_line

    @property
    def is_static(self):
        return "static" in [t for t, _ in self.head]

    @property
    def is_inline(self):
        return "inline" in [t for t, _ in self.head]

    def parameters(self):
        """How many parameters the head names; (void) counts none."""
        words = [t for t, _ in self.head]
        start = _name_index(words)
        depth, count, inside = 0, 0, []
        for word in words[start + 1:]:
            if word in "([{":
                depth += 1
                if depth == 1:
                    continue
            elif word in ")]}":
                depth -= 1
                if depth == 0:
                    break
            elif word == "," and depth == 1:
                count += 1
            inside.append(word)
        return 0 if inside in ([], ["void"]) else count + 1


def _name_index(words):
    """Index of the function's name in the tokens of a declaration, or -1."""
    depth = 0
    for index, word in enumerate(words):
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif depth == 0 and index + 1 < len(words) and words[index + 1] == "(" and re.match(r"[A-Za-z_]", word):
            before = words[index - 1] if index else ""
            is_tag = before in ("struct", "enum", "union")
            if word not in NOT_A_FUNCTION and not is_tag and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", word):
                return index if index else -1
    return -1


def functions(text):
    """All functions at file level of a C text: definitions and prototypes, in order."""
    toks = list(tokens(drop_directives(strip(text))))
    found, head, index = [], [], 0
    while index < len(toks):
        word, line = toks[index]
        if word == ";":
            words = [t for t, _ in head]
            if words and words[0] not in ("typedef", "_Static_assert", "static_assert") and "=" not in words:
                where = _name_index(words)
                if where >= 0:
                    found.append(Function(words[where], head[0][1], head, None, line))
            head = []
        elif word == "{":
            close = _matching_brace(toks, index)
            words = [t for t, _ in head]
            where = _name_index(words) if "=" not in words else -1
            if where >= 0 and words[0] != "typedef":
                end = toks[min(close, len(toks) - 1)][1]
                found.append(Function(words[where], head[0][1], head, toks[index:close + 1], end))
                head = []
            index = close
        else:
            head.append((word, line))
        index += 1
    return found


def _matching_brace(toks, index):
    depth = 0
    for at in range(index, len(toks)):
        if toks[at][0] == "{":
            depth += 1
        elif toks[at][0] == "}":
            depth -= 1
            if depth == 0:
                return at
    return len(toks)
