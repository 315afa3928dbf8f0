"""What turning a job back to an earlier version of its template changes."""

from typing import Any, NamedTuple

from gatepost.cli.client import Client, path_of
from gatepost.cli.failure import CommandError
from gatepost.cli.templateversions import text_at
from gatepost.cli.textdiff import diff_of


class TurnedBack(NamedTuple):
    """A job's configuration at another version of its template, and how the text differs."""

    template: str
    config: dict[str, Any]
    diff: str
    told: dict[str, Any]


def turned_back(client: Client, job: dict[str, Any], version: int) -> TurnedBack:
    """Return what becomes of a job; version 0 is the newest."""
    config = dict(job["config"])
    if not config.get("template_id"):
        msg = f"the job {job['name']} has no template"
        raise CommandError(msg)
    template = client.get(path_of("v2", "template", config["template_id"]))
    newest = int(template["version"])
    now, then = config.pop("template_version", None) or newest, version or newest
    old, new = text_at(client, template, now), text_at(client, template, then)
    difference = diff_of(old.text, new.text, (old.name, new.name))
    if version:
        config["template_version"] = version
    told = {"job": job["id"], "from": now, "to": then, "follows_newest": not version, "diff": difference}
    return TurnedBack(str(template["name"]), config, difference, told)
