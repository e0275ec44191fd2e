# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of people in the ledger: names that look alike are equal, and deceptive names are refused."""

from __future__ import annotations

import unicodedata

from ..errors import BadInput

#: Lowercase letters of other scripts that look like Latin ones: Unicode Technical Standard 39, confusables.txt.
_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u03bf\u03b1\u03bd\u03b9\u03c1\u03ba\u03c5\u0131",
    "aeopcyxijshdqwoavipkui",
)


def check_name(name: str, option: str) -> None:
    """Check the name of a person.

    :raises BadInput: it mixes letters of several scripts, or contains invisible characters.
    """
    if not name.isprintable():
        raise BadInput(option, name, "a name of printable characters")
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in name if char.isalpha()}
    if len(scripts & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH"}) > 1:
        raise BadInput(option, name, f"letters of one script; it mixes {', '.join(sorted(scripts)).lower()}")


def same_person(one: str, other: str) -> bool:
    """Return whether two names look the same to readers, whatever their case, width or script."""
    return _skeleton(one) == _skeleton(other)


def _skeleton(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold().translate(_ALIKE)
    return " ".join(folded.split())
