"""The page on which somebody lets an app into a workspace. HTML only; what is decided there is `oauth`'s affair."""

from collections.abc import Iterable, Mapping
from html import escape

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="font-family: sans-serif; max-width: 34em; margin: 3em auto">
<h1>{title}</h1>
{body}
</body></html>
"""


def consent_page(
    hidden: Mapping[str, str], scopes: Iterable[str], teams: Mapping[str, str], people: Mapping[str, str]
) -> str:
    """`hidden`: what the form sends along unseen; `teams`, `people`: id to name, what can be chosen."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items()
    )
    listed = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in scopes)
    body = (
        f'<form method="post">{fields}'
        f"<p><label>Workspace {_select('team', teams)}</label></p>"
        f"<p><label>You are {_select('user', people)}</label></p>"
        f"<p>bridge will be able to:</p><ul>{listed}</ul>"
        '<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Cancel</button>'
        "</form>"
    )
    return _PAGE.format(title="bridge is requesting permission to access a Slack workspace", body=body)


def refusal_page(error: str) -> str:
    return _PAGE.format(title="Something went wrong", body=f"<p>{escape(error)}</p>")


def _select(name: str, choices: Mapping[str, str]) -> str:
    options = "".join(f'<option value="{escape(id_)}">{escape(label)}</option>' for id_, label in choices.items())
    return f'<select name="{name}">{options}</select>'
