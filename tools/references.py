"""What the site's references say, as Markdown: of commands, of Python's names, of the REST API."""

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import click

import tintype
from tintype.cli import cli
from tintype.server.app import create_app

WIDTH = 92  # letters of a line of help
FIELD = re.compile(r"^([A-Za-z_]\w*(?:, [A-Za-z_]\w*)*|returns|Returns): ", re.MULTILINE)


def describe_commands() -> str:
    """Each command's `--help`, under its name."""
    parts = ["# Command line", "What `tintype --help` and `tintype COMMAND --help` say."]
    for name, command in _walk(cli, "tintype"):
        context = click.Context(command, info_name=name, terminal_width=WIDTH)
        parts += [f"## {name}", f"```text\n{command.get_help(context)}\n```"]
    return "\n\n".join(parts)


def _walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for part in command.list_commands(context):
            found = command.get_command(context, part)
            if found is not None and not found.hidden:
                yield from _walk(found, f"{name} {part}")


def describe_python() -> str:
    """Each public name, with its docstring and those of its methods."""
    about = inspect.getdoc(tintype) or ""
    first, _, code = about.partition("\n\n")
    parts = ["# Python", first, f"```python\n{code}\n```"]
    for name in tintype.__all__:
        one = getattr(tintype, name)
        module = importlib.import_module(one.__module__).__name__
        kind = "class " if inspect.isclass(one) else ""
        parts += [f"## {name}", f"```python\n{kind}{module}.{name}{_sign(one)}\n```", _tell(one)]
        for part, member in vars(one).items() if inspect.isclass(one) else ():
            if part.startswith("_") or not _has_words(member):
                continue
            call = part if isinstance(member, property) else part + _sign(_unwrap(member))
            parts += [f"### {name}.{part}", f"```python\n{call}\n```", _tell(_unwrap(member))]
    return "\n\n".join(part for part in parts if part)


def _unwrap(member: Any) -> Any:
    return getattr(member, "__func__", member)


def _has_words(member: Any) -> bool:
    if isinstance(member, property):
        return bool(member.__doc__)
    return callable(_unwrap(member)) and bool(inspect.getdoc(_unwrap(member)))


def _sign(one: Any) -> str:
    """A signature, without the folders of types; nothing where there is none."""
    try:
        text = str(inspect.signature(one))
    except (TypeError, ValueError):
        return ""
    text = re.sub(r"\b(?:\w+\.)+(?=[A-Za-z_])", "", text.replace("'", ""))
    return re.sub(r"\(self(?:, )?", "(", text)


def _tell(one: Any) -> str:
    """A docstring as Markdown, in which what is said of each argument is an item."""
    text = inspect.getdoc(one) or ""
    if text.startswith(f"{getattr(one, '__name__', '')}("):  # a data class without words
        return ""
    text = re.sub(r"\n {2,}", " ", text)  # where a line of an item goes on
    text = FIELD.sub(lambda found: f"- `{found[1]}`: ", text)
    return re.sub(
        r"(?<=[^\n])\n(?=- )(?<!\n- )", "\n", re.sub(r"([^\n])\n(?=- `)", r"\1\n\n", text)
    )


def describe_rest() -> tuple[str, dict[str, Any]]:
    """The routes of `tintype serve`, and their OpenAPI."""
    about = create_app(tintype.load()).openapi()
    parts = [
        "# REST",
        "`tintype serve` answers these, and its page speaks no other. What follows is in "
        "[openapi.json](openapi.json), too, for programs.",
    ]
    for path, verbs in about["paths"].items():
        for verb, route in verbs.items():
            parts += [f"## {verb.upper()} {path}", route.get("description") or route["summary"]]
            rows = [
                (one["name"], one["schema"], one.get("required", False), one.get("description"))
                for one in route.get("parameters", ())
            ]
            for body in route.get("requestBody", {}).get("content", {}).values():
                schema = _find(about, body["schema"])
                needed = schema.get("required", ())
                for name, one in schema.get("properties", {}).items():
                    rows.append((name, one, name in needed, one.get("description")))
            parts.append(_make_table(rows))
            codes = [f"{code} {one['description']}" for code, one in route["responses"].items()]
            parts.append(f"Answers: {'; '.join(codes)}")
    return "\n\n".join(part for part in parts if part), about


def _find(about: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Any = about
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _make_table(rows: list[tuple[str, dict[str, Any], bool, str | None]]) -> str:
    if not rows:
        return ""
    lines = ["| name | type | |", "|---|---|---|"]
    for name, schema, needed, words in rows:
        said = " ".join(filter(None, ["needed." if needed else "", words])).replace("|", "\\|")
        lines.append(f"| `{name}` | {_name_type(schema)} | {said} |")
    return "\n".join(lines)


def _name_type(schema: dict[str, Any]) -> str:
    """A schema in one word or some."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(map(_name_type, schema[key]))
    if schema.get("type") == "array":
        inside = schema.get("items") or {}
        return f"list of {_name_type(inside)}" if inside else "list"
    return str(schema.get("type", "any"))
