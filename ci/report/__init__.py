"""One report, four renderings: terminal, Markdown for the pull request, an HTML page and JSON."""
