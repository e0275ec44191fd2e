"""Documentation of the collection: lint, and the site.

``docs.py lint`` checks plugin and role documentation, docs/docsite and the changelog; ``docs.py site`` builds
build/site/html/index.html with README, guides and the documentation of every plugin, and a search over all of it.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from running import BUILD, ROOT, fail, ran, run

TREE = BUILD / "tree" / "ansible_collections" / "patchtide" / "hybrid"
SITE = BUILD / "site"
REPOSITORY = "https://github.com/patchtide/hybrid/blob/main"
_LINK = re.compile(r"\]\(([^)\s]+)\)")


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
    """Build the site from the tree as it is; a page that no menu has and a link that leads nowhere fail it."""
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir(parents=True)
    rst = SITE / "rst"
    (rst / "collections").mkdir(parents=True)
    shutil.copy2(ROOT / "docs" / "docsite" / "conf.py", SITE / "conf.py")
    shutil.copy2(ROOT / "docs" / "docsite" / "index.rst", rst / "index.rst")
    _copy_guides(rst)
    command = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--dest-dir"]
    run([*command, str(rst / "collections"), "--fail-on-error", "patchtide.hybrid"], quiet=True)
    html = SITE / "html"
    run(["sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "-c", str(SITE), str(rst), str(html)])
    pages = [*html.rglob("*.html")]
    words = (html / "searchindex.js").read_text("utf-8")
    if missing := [page.stem for page in (rst / "docs").glob("*.md") if f"docs/{page.stem}" not in words]:
        fail(f"the search does not know {', '.join(missing)}")
    ran(len(pages), "pages of the site")
    print(f"open {Path(html, 'index.html')}")


def _copy_guides(place: Path) -> None:
    """Copy README and guides. Where they link to a file that the site has not, the link leads to the repository."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text("utf-8").replace("```mermaid", "```text")  # Sphinx draws no diagrams
        for target in set(_LINK.findall(text)):
            text = text.replace(f"]({target})", f"]({_place_of(page, target)})")
        copied = place / page.relative_to(ROOT)
        copied.parent.mkdir(exist_ok=True)
        copied.write_text(text, "utf-8")
    shutil.copytree(ROOT / "docs" / "images", place / "docs" / "images")


def _place_of(page: Path, target: str) -> str:
    """Return where a link of a page leads on the site."""
    file = (page.parent / target.partition("#")[0]).resolve()
    on_site = file == ROOT / "README.md" or file.parent in (ROOT / "docs", ROOT / "docs" / "images")
    if "://" in target or target.startswith("#") or on_site:
        return target
    return f"{REPOSITORY}/{file.relative_to(ROOT)}"


if __name__ == "__main__":
    {"lint": lint, "site": site}[sys.argv[1]]()
