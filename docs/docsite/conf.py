"""Sphinx configuration of the documentation site; tools/docs.py builds it."""

project = "patchtide.hybrid"
copyright = "The patchtide.hybrid contributors"
title = "patchtide.hybrid collection documentation"
html_short_title = title
extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext", "myst_parser"]
# Headings of the guides are anchors as on GitHub, and their links to files of the repository lead there.
myst_heading_anchors = 4
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_theme = "alabaster"
html_theme_options = {"page_width": "1180px", "sidebar_width": "280px", "fixed_sidebar": True}
html_show_sphinx = False
# Labels of ansible-core itself can't be resolved without network; our own references are checked by antsibull-docs.
suppress_warnings = ["ref.ref"]
html_copy_source = False
# The build needs no network: references to other collections stay plain text.
intersphinx_mapping: dict[str, tuple[str, str | None]] = {}
