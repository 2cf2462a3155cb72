"""The report as one HTML file: tables and pictures inside, no network, fits a phone."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from npt_plugin.report.formats import Cells

__all__ = ["PICTURES", "escape", "figure_html", "has_pictures", "list_html", "page", "table_html"]

PICTURES = "Pictures"
"""Heading of their section."""

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid #8884}
th:first-child,td:first-child,td:nth-child(2),td:nth-child(3){text-align:left}
td:last-child{white-space:normal;overflow-wrap:anywhere;min-width:10rem}
tr.ours td{font-weight:600}
figure{margin:1rem 0}img{max-width:100%;height:auto;background:#fff}
figcaption,.note{font-size:.85rem;opacity:.8}
"""


def table_html(cells: Cells) -> str:
    """A table that scrolls sideways on a narrow screen; rows of NPT stand out."""
    heads, lines = cells
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = []
    for line in lines:
        mark = ' class="ours"' if any(cell.startswith("NPT_") for cell in line) else ""
        body.append(f"<tr{mark}>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>")
    return (
        f'<div class="scroll"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def figure_html(png: bytes, caption: str) -> str:
    """A picture, inside the page."""
    data = base64.b64encode(png).decode()
    text = escape(caption)
    return (
        f'<figure><img alt="{text}" src="data:image/png;base64,{data}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def has_pictures(page: str) -> bool:
    """Whether a page that was written before holds pictures."""
    return "<figure>" in page


def list_html(lines: Sequence[str]) -> str:
    """A bullet list of plain text."""
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def page(title: str, sections: Sequence[tuple[str, str]]) -> str:
    """The whole page.

    Args:
        title: Plain text.
        sections: Headings (plain text) and their HTML.
    """
    parts = [f"<section><h2>{escape(head)}</h2>{body}</section>" for head, body in sections]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{''.join(parts)}</body></html>\n"
    )
