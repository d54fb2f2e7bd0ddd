"""What the site needs beside the pages: an order, and ways out to the files that are not pages. MkDocs calls it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

INDEX = Path(__file__).with_name("index.md")


def on_config(config: Any) -> None:
    """Take the sections and their pages from the index, which people read as well."""
    sections = re.split(r"^## ", INDEX.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    config.nav = [{"All pages": "index.md"}, *({each.partition("\n")[0]: _pages(each)} for each in sections)]


def _pages(section: str) -> list[str]:
    return re.findall(r"^- \[[^]]+\]\(([\w-]+\.md)\)", section, re.MULTILINE)


def on_page_markdown(markdown: str, config: Any, **_: Any) -> str:
    """Let a link to a file above the pages lead to the repository."""
    return re.sub(r"\]\(\.\./", f"]({config.repo_url.rstrip('/')}/blob/main/", markdown)
