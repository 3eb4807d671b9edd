r"""Findings that the addon is known to get wrong, told apart by the source text. Each has its case in tests/neg/checkers.

11.8 at a call: a pointer member read through a pointer to const is taken for a pointer to const. For arguments the
compilers' errors about lost qualifiers are exact; casts stay with the addon.
10.4 at == or != with a comparison in parentheses for an operand: the addon compares the types inside the parentheses
instead of bool. Dropped unless the other operand is a number. 10.4 at a comparison with a character constant written as
\x1b or \033, or a macro of the same file for one: it is of type char, the addon says signed.
9.2, 9.3 at an array of pointers to a struct that holds an array: the addon looks for the struct's members in the
pointers. Dropped where the list has no inner brace and as many elements as the array, or the array has no bound.
"""
import re

import ctext

ARRAY_OF_POINTERS = re.compile(r"\*\s*(?:const\s+|volatile\s+)*$")
BOUND = re.compile(r"\w+\s*\[\s*(\d*)[uU]?\s*\]\s*=\s*\{")


def is_call(before):
    last = before.rstrip()[-1:]
    return last.isalnum() or last == "_"


def elements(text):
    """How many elements the initialiser list at the start of text has, None if braces are nested."""
    depth = count = 0
    pending = False
    for word, _ in ctext.tokens(text):
        if word == "{" and depth > 0:
            return None
        if word in "([{":
            depth += 1
        elif word in ")]}":
            depth -= 1
            if depth == 0:
                return count + (1 if pending else 0)
        if word == "," and depth == 1:
            count, pending = count + 1, False
        elif word not in "{":
            pending = True
    return None


def is_full_pointer_array(before, after):
    bound = BOUND.match(after)
    if bound is None or ARRAY_OF_POINTERS.search(before) is None:
        return False
    have = elements(after[bound.end() - 1:])
    return have is not None and (bound.group(1) == "" or int(bound.group(1)) == have)


def operand_after(text):
    """The first operand of a text that follows an operator: a parenthesised expression or a word with what hangs on it."""
    if text.startswith("("):
        depth = 0
        for index, letter in enumerate(text):
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if depth == 0:
                return text[:index + 1]
        return text
    return re.match(r"'[^']*'|[!~-]*[\w.]*(?:->[\w.]+)*", text).group(0)


def operand_before(text):
    """The last operand of a text that an operator follows."""
    if text.endswith(")"):
        depth = 0
        for index in range(len(text) - 1, -1, -1):
            depth += {")": 1, "(": -1}.get(text[index], 0)
            if depth == 0:
                return text[index:]
        return text
    return re.search(r"(?:'[^']*'|[!~]*[\w.]*(?:->[\w.]+)*)$", text).group(0)


def is_comparison(operand):
    inside = operand[1:-1] if operand.startswith("(") else ""
    return re.search(r"[!=]=|&&|\|\||[^-<>][<>][^<>]", inside) is not None


def is_wrong_comparison(text, before, after):
    operator = re.match(r"[!=]=|[<>]=?", after)
    if operator is None:
        return False
    left, right = operand_before(before.rstrip()), operand_after(after[operator.end():].lstrip())
    for operand in (left, right):
        macro = re.search(r"^[ \t]*#[ \t]*define[ \t]+" + re.escape(operand) + r"[ \t]+(\S+)", text, re.M) if operand else None
        if re.fullmatch(r"'\\(?:x[0-9A-Fa-f]+|[0-7]+)'", macro.group(1) if macro else operand):
            return True
    numbers = [operand for operand in (left, right) if re.match(r"\d", operand)]
    return operator.group(0) in ("==", "!=") and (is_comparison(left) or is_comparison(right)) and not numbers


def is_false(rule, text, line, column):
    """Is the finding of this rule at this place of the file's text one of the known wrong ones?"""
    lines = text.split("\n")
    if rule not in ("10.4", "11.8", "9.2", "9.3") or line > len(lines):
        return False
    before = lines[line - 1][:column - 1]
    if rule == "11.8":
        return is_call(before)
    if rule == "10.4":
        return is_wrong_comparison(text, before, lines[line - 1][column - 1:])
    after = "\n".join([lines[line - 1][column - 1:]] + lines[line:line + 200])
    return is_full_pointer_array(before, ctext.strip(after))
