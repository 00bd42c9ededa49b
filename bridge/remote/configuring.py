"""Checks that the settings of every remote backend share. Each refusal is one sentence with the variable's name and the fix."""

import re
import ssl
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit, urlunsplit

from pydantic import ValidationError, ValidatorFunctionWrapHandler
from pydantic_settings import BaseSettings


def read_base_url(url: str, variable: str, *, example: str, endpoints: tuple[str, ...], key_variable: str) -> str:
    """The address of an API without a slash at its end; `/v1` where it has no path. `endpoints` are what people copy along.

    Raises `ValueError`.
    """
    example = f"for example {example}"
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(
            f"{variable} must be an http:// or https:// address, {example}, but it is {without_password(url)!r}."
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{variable} must not contain a user name or password; the key goes into {key_variable}.")
    if parts.query or parts.fragment:
        raise ValueError(f"{variable} must not contain '?' or '#': use the address up to /v1, {example}.")
    path = parts.path.rstrip("/")
    for endpoint in endpoints:
        if path.endswith(endpoint):
            raise ValueError(
                f"{variable} must end in /v1, not in {endpoint}: use {url.strip().rstrip('/')[: -len(endpoint)]}."
            )
    # Nothing answers at the bare host, so there is only one thing that an address without a path can mean.
    return urlunsplit((parts.scheme, parts.netloc, path or "/v1", "", ""))


def read_key(value: str, variable: str) -> str:
    """Raises `ValueError`, which does not repeat the key."""
    value = value.strip()
    if value and (not (value.isascii() and value.isprintable()) or " " in value or value[0] in "\"'"):
        raise ValueError(f"{variable} must be the key alone, without 'Bearer', spaces or quotes around it.")
    return value


def read_ca_file(path: Path | None, variable: str) -> Path | None:
    """Raises `ValueError` unless it holds certificates."""
    if path is None:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError as problem:
        raise ValueError(
            f"{variable} ({path}) is not a PEM file of certificates; it must contain BEGIN CERTIFICATE lines."
        ) from problem
    except OSError as problem:
        raise ValueError(
            f"{variable} ({path}) cannot be read ({problem.strerror}); name a readable PEM file or leave it empty."
        ) from problem
    return path


def check_range(settings: type[BaseSettings], name: str, value: object, check: ValidatorFunctionWrapHandler) -> object:
    """pydantic's own words name neither the variable nor the way out."""
    try:
        return check(value)
    except ValidationError as problem:
        kind = settings.model_fields[name].annotation
        whole = "whole " if kind is int or int in get_args(kind) else ""
        raise ValueError(
            f"{name.upper()} must be a {whole}number {_range_of(settings, name)}, but it is {str(value)[:40]!r}."
        ) from problem


def check_waits(prefix: str, *, progress: float, idle: float) -> None:
    """Raises `ValueError` when the one could never pass before the other."""
    if progress < idle:
        raise ValueError(
            f"{prefix}_PROGRESS_TIMEOUT ({progress:g}) must not be shorter than {prefix}_IDLE_TIMEOUT "
            f"({idle:g}): raise the one or lower the other."
        )


def without_password(url: str) -> str:
    return re.sub(r"(?<=//)[^/]*@", "...@", url)


def _range_of(settings: type[BaseSettings], name: str) -> str:
    low, high = "", ""
    for limit in settings.model_fields[name].metadata:
        for attribute, words in (("ge", "from {:.15g}"), ("gt", "above {:.15g}"), ("le", "up to {:.15g}")):
            if (number := getattr(limit, attribute, None)) is not None:
                if attribute == "le":
                    high = words.format(number)
                else:
                    low = words.format(number)
    return f"{low} {high}".strip()
