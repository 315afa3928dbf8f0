"""Render: the time one body takes, in batches of fifty, by the engine that renders it outside this process.

The top level is an entrance template for Insider, of the fields Lytics profiles have by default, on a profile of 20
fields; the making of its entity is in it. Ours is what a job's template goes through, the baseline the Jsonnet
reference engine in its helper process. `parts` hold the same one profile at a time, and the same body written in
JavaScript (`js1`) and Handlebars, each beside the reference engine's Jsonnet.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from benchmarks._common import Budget, Figure, Options, Run, alternated, options, progress
from gatepost.core.templates.context import entity_with_event, segment_event
from gatepost.core.templates.presets import preset
from gatepost.model.audience import Crossing
from gatepost.ports.renderer import RenderContext, Rendered
from gatepost.rendering import HelperRenderer, RenderOptions

RENDER = Budget(ours=10)
BATCH = 50
_NOW = 1_768_478_400_000
_PROFILE: Mapping[str, object] = {
    "_id": "5f0d1c6e2b7a4c3d8e9f001122334455",
    "insider_id": "ins-0001",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "phone": "+14155552671",
    "gender": "f",
    "age": 36,
    "user_language": "en",
    "visit_country": ["GB", "IT"],
    "visit_city": ["London"],
    "consent_email_status": "granted",
    "consent_gdpr_status": True,
    "consent_sms_status": "denied",
    "status": "customer",
    "score_consistency": 12,
    "score_frequency": 34,
    "score_intensity": 56,
    "score_maturity": 78,
    "score_recency": 91,
}
_JS1 = """
const known = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
const yes = ["true", "yes", "granted", "opted_in", "opt_in", "subscribed"];
const no = ["false", "no", "denied", "opted_out", "opt_out", "unsubscribed"];

function template(data) {
  const text = (field) => {
    const value = getFirstField(field, null, data);
    return typeof value === "string" && value !== "" ? value : null;
  };
  const number = (field) => {
    const value = get(field, null, data);
    return typeof value === "number" ? value : null;
  };
  const consent = (field) => {
    const value = getFirstField(field, null, data);
    const word = String(value).toLowerCase();
    return yes.includes(word) ? true : no.includes(word) ? false : null;
  };
  const scores = ["consistency", "frequency", "intensity", "maturity", "momentum", "propensity", "quantity", "recency"];
  const { id, slug, event, enter } = segEvents(data)[0];
  return {
    skip_hook: false,
    users: [{
      ...known({ insider_id: text("insider_id") }),
      identifiers: { ...known({ email: text("email") }), custom: known({ lytics_id: text("_id") }) },
      attributes: {
        ...known({
          name: text("first_name"), surname: text("last_name"), phone_number: text("phone"), gender: text("gender"),
          age: number("age"), language: text("user_language"), country: text("visit_country"), city: text("visit_city"),
          email_optin: consent("consent_email_status"), gdpr_optin: consent("consent_gdpr_status"),
          sms_optin: consent("consent_sms_status"), whatsapp_optin: consent("consent_whatsapp_status"),
        }),
        custom: {
          lytics_computed_attr: [slug],
          ...known({ status: text("status") }),
          ...known(Object.fromEntries(scores.map((name) => [`score_${name}`, number(`score_${name}`)]))),
        },
      },
      not_append: false,
      events: [{
        event_name: "lytics_trigger", timestamp: enter,
        event_params: { custom: { id, audience: slug, trigger: event, origin: "Lytics" } },
      }],
    }],
  };
}
"""
_HANDLEBARS = """{"skip_hook": false, "users": [{
{{#if insider_id}}"insider_id": {{json insider_id}},{{/if}}
"identifiers": { {{#if email}}"email": {{json email}},{{/if}} "custom": {"lytics_id": {{json _id}} } },
"attributes": {
  "name": {{json first_name}}, "surname": {{json last_name}}, "phone_number": {{json phone}},
  "gender": {{json gender}}, "age": {{json age}}, "language": {{json user_language}},
  "country": {{json visit_country.[0]}}, "city": {{json visit_city.[0]}},
  "email_optin": {{eq consent_email_status "granted"}}, "gdpr_optin": {{json consent_gdpr_status}},
  "sms_optin": {{eq consent_sms_status "granted"}},
  "custom": {
    "lytics_computed_attr": [{{json segment_events.[0].slug}}], "status": {{json status}},
    "score_consistency": {{json score_consistency}}, "score_frequency": {{json score_frequency}},
    "score_intensity": {{json score_intensity}}, "score_maturity": {{json score_maturity}},
    "score_recency": {{json score_recency}} } },
"not_append": false,
"events": [{{#with segment_events.[0]}}{
  "event_name": "lytics_trigger", "timestamp": {{json enter}}, "event_params": {"custom": {
    "id": {{json id}}, "audience": {{json slug}}, "trigger": {{json event}}, "origin": "Lytics"} } }{{/with}}]
}] }
"""
SOURCES = {"jsonnet": preset("insider_enter"), "js1": _JS1, "handlebars": _HANDLEBARS}


@dataclass(frozen=True)
class Bench:
    """The renderer, and what is asked of it."""

    runner: asyncio.Runner
    renderer: HelperRenderer
    given: Options

    def microseconds(self, kind: str, batch: int) -> float:
        """Return the time of one render of a kind, so many asked for together."""
        return self.runner.run(self._measured(kind, batch))

    async def _measured(self, kind: str, batch: int) -> float:
        times = 1 if self.given.quick else max(1, 300 // batch)
        await self._render(kind, batch)
        began = time.perf_counter()
        for _ in range(times):
            await self._render(kind, batch)
        return (time.perf_counter() - began) * 1e6 / (times * batch)

    async def _render(self, kind: str, batch: int) -> None:
        results = await self.renderer.render(kind, SOURCES[kind], contexts(batch))
        assert all(isinstance(result, Rendered) for result in results), results[0]


def main() -> None:
    given = options("Measure renders: Jsonnet, JavaScript and Handlebars, one at a time and in batches.")
    run = Run("render", given)
    with asyncio.Runner() as runner:
        renderer = HelperRenderer(RenderOptions(workers=1))
        bench = Bench(runner, renderer, given)
        try:
            entrance = compared(bench, "jsonnet", BATCH)
            parts = {
                f"{kind}_{name}": compared(bench, kind, batch)
                for kind, name, batch in (
                    ("jsonnet", "one_at_a_time", 1),
                    ("js1", "in_batches", BATCH),
                    ("js1", "one_at_a_time", 1),
                    ("handlebars", "in_batches", BATCH),
                    ("handlebars", "one_at_a_time", 1),
                )
            }
        finally:
            runner.run(renderer.close())
    run.report(entrance, RENDER, parts)


def compared(bench: Bench, kind: str, batch: int) -> Figure:
    """Measure a kind beside the reference engine."""
    progress(f"{kind}, {batch} together")
    ours, baseline = alternated(
        lambda: bench.microseconds(kind, batch),
        lambda: bench.microseconds("jsonnet", batch),
        bench.given.rounds,
    )
    return Figure(ours, baseline, "us/render", less_is_better=True)


def contexts(count: int) -> Sequence[RenderContext]:
    """Return what the templates read, the entity made from the profile anew."""
    event = segment_event("e4c8ef6712fc40d76d8202394095f3a6", "regulars", Crossing.ENTER, _NOW)
    return [RenderContext(entity=entity_with_event(orjson.dumps(_PROFILE), event)) for _ in range(count)]


if __name__ == "__main__":
    main()
