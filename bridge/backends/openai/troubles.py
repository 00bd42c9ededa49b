"""How servers with OpenAI's API say that something went wrong. Each spells it in its own way; here it becomes one `Trouble`."""

from dataclasses import dataclass

from bridge.remote.framing import Json, object_of, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A server's complaint: for the log, and to tell one cause from another. Never for members."""

    words: str = ""
    code: str = ""
    """The server's own word or number."""
    kind: str = ""
    about: str = ""
    """The parameter that it is about."""


def find_trouble(reply: Json) -> Trouble | None:
    """The complaint in a JSON object that is a refusal, or an event of a stream; None where there is none.

    - OpenAI and most others: `{"error": {"message", "type", "param", "code"}}`; some say `{"error": "words"}`
    - vLLM before 0.10, DB-GPT's model API: `{"object": "error", "message", "code": 40301}`
    - DB-GPT's model API in a stream: a model's output with `error_code` and `text`, without `choices`
    - FastAPI: `{"detail": ...}`, of which DB-GPT makes `{"detail": {"error": {...}}}`
    - DB-GPT's application server, asked by mistake: `{"success": false, "err_code", "err_msg"}`
    """
    error = reply.get("error")
    if isinstance(error, dict):
        return _from_error(error)
    if isinstance(error, str) and error:
        return Trouble(words=error, code=_code_of(reply))
    if reply.get("object") == "error":
        return Trouble(words=text_of(reply, "message"), code=_code_of(reply), kind=text_of(reply, "type"))
    if "choices" in reply:
        return None
    number = reply.get("error_code")
    if isinstance(number, int) and number != 0:
        return Trouble(words=text_of(reply, "text"), code=str(number))
    if reply.get("success") is False:
        return Trouble(words=text_of(reply, "err_msg"), code=text_of(reply, "err_code"))
    detail = reply.get("detail")
    if isinstance(detail, dict):
        return find_trouble(detail) or _from_error(detail)
    if isinstance(detail, str):
        return Trouble(words=detail)
    if isinstance(detail, list):
        return _from_validation(detail)
    if text_of(reply, "message"):
        return Trouble(words=text_of(reply, "message"), code=_code_of(reply), kind=text_of(reply, "type"))
    return None


def _from_error(error: Json) -> Trouble:
    inner = object_of(error, "innererror")
    return Trouble(
        words=text_of(error, "message"),
        code=_code_of(error) or text_of(inner, "code"),
        kind=text_of(error, "type"),
        about=text_of(error, "param"),
    )


def _from_validation(detail: list[object]) -> Trouble:
    """FastAPI's own: what is wrong, and where, but not what was sent."""
    first = next((one for one in detail if isinstance(one, dict)), {})
    place = first.get("loc")
    names = [str(part) for part in place if part != "body"] if isinstance(place, list) else []
    return Trouble(words=text_of(first, "msg"), kind=text_of(first, "type"), about=".".join(names)[:100])


def _code_of(reply: Json) -> str:
    code = reply.get("code")
    if isinstance(code, int) and not isinstance(code, bool):
        return str(code)
    return text_of(reply, "code")
