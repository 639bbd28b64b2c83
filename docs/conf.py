"""How Sphinx builds the documentation (`make docs`)."""

project = "dispatch_core"
author = "the dispatch_core maintainers"
extensions = ["myst_nb"]
source_suffix = {".md": "myst-nb"}
html_theme = "furo"
html_title = "dispatch_core"
exclude_patterns = ["_build", "examples"]
nb_execution_mode = "off"  # the tests run every block
myst_heading_anchors = 3
