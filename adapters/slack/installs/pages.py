"""The few pages that somebody sees who installs the app. They load nothing, run nothing, and say nothing of our insides."""

from html import escape
from http import HTTPStatus

from aiohttp import web

_HEADERS = {
    # The address of the last page holds a code: it must go nowhere, stay nowhere and be framed nowhere.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 17px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto 0; padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; }}
a.next {{ display: inline-block; margin-top: .5rem; padding: .6rem 1.1rem; border-radius: .5rem; font-weight: 600;
  text-decoration: none; background: #4a154b; color: #fff; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def show(
    title: str, *lines: str, link: tuple[str, str] | None = None, status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    """A page of plain text. `link`: an address and what is written on it."""
    body = [f"<p>{escape(line)}</p>" for line in lines]
    if link is not None:
        body.append(f'<p><a class="next" rel="noreferrer" href="{escape(link[0])}">{escape(link[1])}</a></p>')
    text = _PAGE.format(title=escape(title), body="\n".join(body))
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=_HEADERS)
