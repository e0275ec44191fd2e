# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text for terminals: clean, folded, cut and in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

WIDTH = 114


LISTED = 12


def table(head: Sequence[str], rows: Iterable[Sequence[str]], width: int, right: Sequence[int] = ()) -> list[str]:
    """Return aligned lines of at most ``width`` columns; empty columns are left out.

    The widest text gives way first: it is cut with an ellipsis, but in the last column it goes on in the next line.
    """
    cells = [list(head), *([plain(cell) for cell in row] for row in rows)]
    used = [index for index in range(len(head)) if any(row[index] for row in cells[1:])]
    sizes = {index: max(columns(row[index]) for row in cells) for index in used}
    while used and sum(sizes.values()) + 2 * len(used) > width:
        widest = max(used, key=lambda index: (sizes[index], index))
        if sizes[widest] <= 6:
            break
        sizes[widest] -= 1
    return [
        line for row in cells for line in _table_row([(row[index], sizes[index], index in right) for index in used])
    ]


def _table_row(cells: Sequence[tuple[str, int, bool]]) -> list[str]:
    if not cells:
        return []
    *fixed, (text, size, to_right) = cells
    start = "".join("  " + pad(cut(cell, width), width, right) for cell, width, right in fixed) + "  "
    first, *more = fold_text(text, size)
    indent = " " * columns(start)
    return [(start + pad(first, size, to_right)).rstrip(), *(indent + line for line in more)]


def nearest(value: str, known: Iterable[str]) -> str:
    """Return the known word that is most like ``value``, which may be a slip of it; ``""`` if none is near."""
    from difflib import get_close_matches  # an error needs it, a module's start does not

    return next(iter(get_close_matches(value, list(known), n=1)), "")


def fold_text(text: str, width: int) -> list[str]:
    """Break a text at blanks into lines of at most ``width`` columns; a word that is too long is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if columns(longer) > width and lines[-1]:
            lines.append(cut(word, width))
        else:
            lines[-1] = cut(longer, width)
    return lines


def plain(value: object) -> str:
    """Return text that is safe on one line of a terminal or log.

    What can't be printed becomes a blank: control characters, line ends, bidirectional marks, lone surrogates.
    """
    text = str(value)
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def columns(text: str) -> int:
    """Return how many columns the text takes in a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def cut(text: str, width: int) -> str:
    """Return the text in at most ``width`` columns, ending in an ellipsis where something was cut off."""
    if columns(text) <= width:
        return text
    while text and columns(text) > width - 1:
        text = text[:-1]
    return text + "…"


def pad(text: str, width: int, right: bool = False) -> str:
    blanks = " " * (width - columns(text))
    return blanks + text if right else text + blanks


def counted(number: int, noun: str = "node") -> str:
    """Return a number with its noun, such as ``1 node`` or ``1,200 patches``."""
    plural = noun + ("es" if noun.endswith("ch") else "s")
    return f"{number:,} {noun if number == 1 else plural}"
