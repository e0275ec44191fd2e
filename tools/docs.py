"""Documentation of the collection: lint, and the site.

``docs.py lint`` checks plugin and role documentation, docs/docsite and the changelog; ``docs.py site`` builds
build/site/html/index.html.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from running import BUILD, ROOT, fail, ran, run

TREE = BUILD / "tree" / "ansible_collections" / "patchtide" / "hybrid"
SITE = BUILD / "site"


def lint() -> None:
    documented = [*(ROOT / "plugins" / "modules").glob("*.py"), *(ROOT / "plugins" / "inventory").glob("*.py")]
    documented += [*(ROOT / "roles").glob("*/meta/argument_specs.yml")]
    checks = [
        "--plugin-docs",
        "--validate-collection-refs",
        "dependent",
        "--disallow-unknown-collection-refs",
        "--check-extra-docs-refs",
    ]
    run(["antsibull-docs", "lint-collection-docs", *checks, str(TREE)])
    run(["antsibull-changelog", "lint"])
    run(["antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml"])
    ran(len(documented), "documented plugins and roles")


def site() -> None:
    """Build the site as docs.ansible.com would show it, from the tree as it is."""
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir(parents=True)
    rst = SITE / "rst"
    (rst / "collections").mkdir(parents=True)
    shutil.copy2(ROOT / "docs" / "docsite" / "conf.py", SITE / "conf.py")
    shutil.copy2(ROOT / "docs" / "docsite" / "index.rst", rst / "index.rst")
    command = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--dest-dir"]
    run([*command, str(rst / "collections"), "--fail-on-error", "patchtide.hybrid"], quiet=True)
    html = SITE / "html"
    run(["sphinx-build", "-q", "-b", "html", "-c", str(SITE), str(rst), str(html)])
    pages = [*html.rglob("*.html")]
    if not (html / "index.html").is_file():
        fail("no index.html")
    ran(len(pages), "pages of the site")
    print(f"open {Path(html, 'index.html')}")


if __name__ == "__main__":
    {"lint": lint, "site": site}[sys.argv[1]]()
