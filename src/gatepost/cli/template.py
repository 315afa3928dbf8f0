"""`gatepost template`: what makes a request body of a trigger."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gatepost.cli.client import TEXT, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.confirmation import confirm
from gatepost.cli.files import text_in
from gatepost.cli.findings import Subject, brief_finding, findings_of
from gatepost.cli.lint import app as lint
from gatepost.cli.output import moment, short_id
from gatepost.cli.templatecases import type_of
from gatepost.cli.templateversions import Which, template_named, text_at
from gatepost.cli.templateversions import app as versions
from gatepost.cli.trials import app as trials

app = part("List, change and test templates.")
app.add_typer(versions)
app.add_typer(trials)
app.add_typer(lint)

Source = Annotated[Path, typer.Argument(metavar="FILE", help="The template's text; - reads standard input.")]
Repair = Annotated[
    bool, typer.Option("--repair", help="Mend known damage, such as escapes left by Markdown.")
]


@app.callback()
def group() -> None:
    """List, change and test templates. They are Jsonnet, JavaScript (js1) or Handlebars."""


@client_command(app, "list", "gatepost template list", "gatepost template list --json")
def list_(session: Session) -> None:
    """List templates."""
    templates = session.client.get("/v2/template")
    session.out.document(templates)
    rows = (
        (
            short_id(template["id"]),
            template["name"],
            template["type"],
            moment(template.get("updated")),
            template.get("description", ""),
        )
        for template in templates
    )
    session.out.table(
        ("id", "name", "type", "updated", "description"), rows, empty="There are no templates yet."
    )


@client_command(
    app,
    "show",
    "gatepost template show insider_enter",
    "gatepost template show insider_enter --source > insider_enter.jsonnet",
    "gatepost template show insider_enter --version 3",
)
def show(
    session: Session,
    template: Which,
    source: Annotated[bool, typer.Option("--source", help="Print the text, and nothing else.")] = False,
    version: Annotated[
        int, typer.Option(metavar="N", help="An earlier version; see `gatepost template versions`.")
    ] = 0,
) -> None:
    """Show one template and its text."""
    client, out = session
    found = client.get(path_of("v2", "template", template_named(client, template)["id"]))
    if version:
        text = text_at(client, found, version).text
    else:
        text = str(client.get(path_of("v2", "template", found["id"], "definition")))
    out.document({**found, "source": text})
    if not source:
        facts = ("name", "id", "type", "description", "created", "updated", "engine", "engine_reason")
        out.facts((name.replace("_", " "), found.get(name)) for name in facts)
        out.show("")
    if not out.json:
        typer.echo(text, nl=not text.endswith("\n"))


@client_command(
    app,
    "create",
    "gatepost template create insider_enter insider_enter.jsonnet",
    "gatepost template create insider_exit - --repair < exit.jsonnet",
)
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="Its name.")],
    file: Source,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    type_: Annotated[
        str,
        typer.Option(
            "--type", help="jsonnet, js1 or handlebars; by the file's ending unless told, else jsonnet."
        ),
    ] = "",
    repair: Repair = False,
) -> None:
    """Save a template after a syntax check."""
    query = {
        "name": name,
        "type": type_ or type_of(file),
        "description": description,
        "repair": repair or None,
    }
    made = _sent(session, "POST", "/v2/template", text_in(file), query)
    session.out.document(made)
    session.out.say(f"created {made['name']} ({short_id(made['id'])})")


@client_command(app, "update", "gatepost template update insider_enter insider_enter.jsonnet")
def update(session: Session, template: Which, file: Source, repair: Repair = False) -> None:
    """Give a template a new text; deliveries rendered from now on use it."""
    found = template_named(session.client, template)
    path = path_of("v2", "template", found["id"])
    made = _sent(session, "PUT", path, text_in(file), {"repair": repair or None})
    session.out.document(made)
    session.out.say(f"updated {made['name']} ({short_id(made['id'])})")


@client_command(app, "delete", "gatepost template delete insider_enter --yes")
def delete(
    session: Session,
    template: Which,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a template that no job uses."""
    found = template_named(session.client, template)
    confirm(f"Delete the template {found['name']} ({short_id(found['id'])})?", yes=yes)
    session.client.delete(path_of("v2", "template", found["id"]))
    session.out.document({"deleted": found["id"]})
    session.out.say(f"deleted {found['name']}")


def _sent(session: Session, method: str, path: str, source: str, query: dict[str, Any]) -> dict[str, Any]:
    """Save a template and return it; what is doubtful in it is said, and stands in nobody's way."""
    client = session.client
    answer = client.call(method, path, query=query, content=source.encode(), headers=TEXT)
    made: dict[str, Any] = answer["data"]
    stored = str(client.get(path_of("v2", "template", made["id"], "definition")))
    for finding in findings_of(client, Subject(made["name"], stored, made["type"])):
        session.out.warn(brief_finding(finding))
    return made
