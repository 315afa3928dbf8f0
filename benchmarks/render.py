"""Render: the time one body takes, from the profile's fields to the text that is sent.

The top level is an entrance template for Insider that reads every field one by one, on a profile of 20 fields, in
batches of fifty as deliver asks for them; the trigger's entity is made anew each time. Ours is the renderer a job's
template goes through, its comparisons with the reference engine included. The baseline is the bare reference engine
in this process, which needs the entity as JSON. `parts` hold larger profiles, other templates, one profile at
a time, and the same message in JavaScript and Handlebars in their helper process.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks._common import Budget, Figure, Options, Run, alternated, options, progress
from gatepost.core.templates.context import segment_event
from gatepost.core.templates.presets import library, preset
from gatepost.engines.jsonnet import JsonnetEngine
from gatepost.model.audience import Crossing
from gatepost.model.catalog import TemplateType
from gatepost.model.jsonvalue import JsonObject
from gatepost.ports.renderer import RenderContext, Rendered
from gatepost.rendering import CompiledRenderer, HelperRenderer, RenderOptions

RENDER = Budget(ours=10)
BATCH = 50
_SECONDS = 0.4
_NOW = 1_768_478_400_000
_SOURCES = Path(__file__).parent / "templates"
_PROFILE: JsonObject = {
    "_id": "5f0d1c6e2b7a4c3d8e9f001122334455",
    "_uid": "c3d8e9f0",
    "_segments": ["all", "regulars", "tea_drinkers"],
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
    "status": "customer",
    "score_consistency": 12,
    "score_frequency": 34.5,
    "score_recency": 91,
    "lytics_content": {"tea": 0.75, "cakes": 0.5},
}
_JSONNET = TemplateType.JSONNET


@dataclass(frozen=True)
class Case:
    """A template and the profile it is rendered for."""

    source: str
    fields: int = 20
    batch: int = BATCH
    kind: TemplateType = _JSONNET
    crossing: Crossing = Crossing.ENTER


@dataclass(frozen=True)
class Bench:
    """The renderer, and the bare engine beside it."""

    runner: asyncio.Runner
    renderer: CompiledRenderer
    engine: JsonnetEngine
    given: Options

    def ours(self, case: Case) -> float:
        """Return the microseconds of one render by our renderer."""
        return self.runner.run(self._ours(case))

    async def _ours(self, case: Case) -> float:
        profile = profile_of(case.fields)
        await self._batch(case, profile)
        count, began = 0, time.perf_counter()
        until = began + (0 if self.given.quick else _SECONDS)
        while not count or time.perf_counter() < until:
            await self._batch(case, profile)
            count += case.batch
        return (time.perf_counter() - began) * 1e6 / count

    async def _batch(self, case: Case, profile: JsonObject) -> None:
        contexts = [RenderContext(entity=entity(profile, case.crossing)) for _ in range(case.batch)]
        results = await self.renderer.render(case.kind, case.source, contexts)
        assert all(isinstance(result, Rendered) for result in results), results[0]

    def baseline(self, case: Case, source: str) -> float:
        """Return the microseconds of one render of a Jsonnet source by the bare engine."""
        profile = profile_of(case.fields)
        count, began = 0, time.perf_counter()
        until = began + (0 if self.given.quick else _SECONDS)
        while not count or time.perf_counter() < until:
            given = orjson.dumps(entity(profile, case.crossing))
            state, _ = self.engine.render(source.encode(), [given, b"{}", b"{}"])
            assert state == b"ok"
            count += 1
        return (time.perf_counter() - began) * 1e6 / count


def main() -> None:
    given = options("Measure renders: Jsonnet compiled and by its engine, JavaScript and Handlebars.")
    run = Run("render", given)
    files = {name: text.encode() for name, text in library().items()}
    with asyncio.Runner() as runner:
        renderer = CompiledRenderer(HelperRenderer(RenderOptions(workers=1)))
        bench = Bench(runner, renderer, JsonnetEngine(files, 0), given)
        try:
            entrance = measured(bench, "entrance", Case(source("entrance.jsonnet")))
            parts = {name: measured(bench, name, case) for name, case in _parts().items()}
        finally:
            runner.run(renderer.close())
    run.report(entrance, RENDER, parts)


def _parts() -> dict[str, Case]:
    entrance = source("entrance.jsonnet")
    scripts = (
        (TemplateType.JS1, preset("insider_enter", TemplateType.JS1)),
        (TemplateType.HANDLEBARS, source("entrance.hbs")),
    )
    return {
        "one_at_a_time": Case(entrance, batch=1),
        "fields_200": Case(entrance, fields=200),
        "fields_2000": Case(entrance, fields=2_000),
        "preset_enter": Case(preset("insider_enter")),
        "preset_exit": Case(preset("insider_exit"), crossing=Crossing.EXIT),
        "loops_over_200": Case(source("loops.jsonnet"), batch=10),
        "functions": Case(source("functions.jsonnet"), batch=10),
        "formatting": Case(source("formatting.jsonnet"), batch=10),
        **{kind.value: Case(text, kind=kind) for kind, text in scripts},
        **{f"{kind.value}_one_at_a_time": Case(text, kind=kind, batch=1) for kind, text in scripts},
    }


def source(name: str) -> str:
    """Return the text of a template of the benchmark."""
    return (_SOURCES / name).read_text(encoding="utf-8")


def measured(bench: Bench, name: str, case: Case) -> Figure:
    """Measure a case; scripts stand beside the entrance template of the Jsonnet engine."""
    progress(name)
    jsonnet = case.source if case.kind is _JSONNET else source("entrance.jsonnet")
    ours, baseline = alternated(
        lambda: bench.ours(case), lambda: bench.baseline(case, jsonnet), bench.given.rounds
    )
    return Figure(ours, baseline, "us/render", less_is_better=True)


def profile_of(fields: int) -> JsonObject:
    """Return a profile of so many fields."""
    more = {f"field_{number}": f"value {number}" for number in range(fields - len(_PROFILE))}
    return {**_PROFILE, **more}


def entity(profile: JsonObject, crossing: Crossing) -> JsonObject:
    """Return what a template reads: the profile with its trigger."""
    return {**profile, "segment_events": [segment_event("e4c8ef6712fc40d7", "regulars", crossing, _NOW)]}


if __name__ == "__main__":
    main()
