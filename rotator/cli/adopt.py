"""The verb that writes the credentials of existing tokens: adopt."""

from __future__ import annotations

import io
import sys
from typing import Annotated, Any

import typer

from rotator.cli import exits
from rotator.cli.layout import Span
from rotator.cli.output import say, write_json, write_lines
from rotator.cli.verbs import Settings, verb


def adopt(
    settings: Settings,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids of tokens, or their first 6 or more digits.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--pick-all", "--all", help="Every token that nobody keeps and that can be taken over.")
    ] = False,
    connection: Annotated[
        str | None, typer.Option("--connection", metavar="C", help="Only the tokens of that connection.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The name of the one credential.")] = None,
) -> int:
    """Write the configuration that takes existing tokens over.

    Prints `credentials` as YAML, one for each token, with grants that mean
    exactly its policies; changes nothing. Put them into the configuration:
    without targets a token is watched and never minted anew, and `plan` shows
    no change. Then name the places where its value stands: at the next start
    the value there is proven and taken over, nothing is minted. Where its
    value is unknown, the first rotation makes a new token, and the old one
    ends only when nobody has used it for a week.

      rotator adopt 4a5b6c7d --name workers-deploy
      rotator adopt --pick-all > credentials.yaml

    Exit 1 where a named token does not exist, or cannot be taken over.
    """
    from rotator.app.adopt import adopt as write

    document = write(settings.path, ids or (), everything=everything, connection=connection, name=name)
    if settings.json:
        write_json(document)
    else:
        write_lines([(Span(line),) for line in _yaml({"credentials": document["credentials"]}).splitlines()])
    _remarks(document)
    return exits.DONE


def _remarks(document: dict[str, Any]) -> None:
    for one in document["skipped"]:
        say(f"skipped {one['id']} ({one['name']}): {one['message']}")
    if document["endless"]:
        names = document["endless"]
        listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        say(
            f"never expire: {listed}; once they have targets, each is rotated when it is older than `lifetime` "
            "(90d where none is written), and its successors end"
        )
    say(f"{len(document['credentials'])} written, {len(document['skipped'])} skipped")


def _yaml(document: dict[str, Any]) -> str:
    """The document as YAML that people go on with: short lists in one line."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    def styled(value: Any, deep: int = 0) -> Any:
        if isinstance(value, dict):
            made = CommentedMap((key, styled(inner, deep + 1)) for key, inner in value.items())
            if deep > 3 or set(value) == {"id"}:
                made.fa.set_flow_style()
            return made
        if isinstance(value, list):
            listed = CommentedSeq([styled(inner, deep + 1) for inner in value])
            if not any(isinstance(inner, dict) and set(inner) != {"id"} for inner in value):
                listed.fa.set_flow_style()
            return listed
        return value

    yaml = YAML()
    yaml.width = sys.maxsize
    yaml.indent(mapping=2, sequence=4, offset=2)
    made = io.StringIO()
    yaml.dump(styled(document), made)
    return made.getvalue()


def register(app: typer.Typer) -> None:
    """Add this verb."""
    verb(app, absent=exits.NO)(adopt)
