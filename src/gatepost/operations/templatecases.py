"""Running the cases that a template carries."""

import json
from collections.abc import Mapping, Sequence

from gatepost.core.templates.cases import Outcome, TemplateCase, outcome_of, read_case
from gatepost.model.errors import InvalidInput, Unavailable
from gatepost.model.jsonvalue import JsonValue
from gatepost.ports.renderer import RenderContext, Renderer, RenderFailure


async def run_cases(
    renderer: Renderer, type_: str, source: str, cases: Sequence[TemplateCase]
) -> list[Outcome]:
    """Render a template for each case and judge it, in their order; nothing is sent."""
    contexts = [RenderContext(entity=_json(case.entity), job_config=_json(case.job_config)) for case in cases]
    outcomes = []
    for case, result in zip(cases, await renderer.render(type_, source, contexts), strict=True):
        if not isinstance(result, RenderFailure):
            outcomes.append(outcome_of(case, result.text, ""))
        elif result.kind == "engine":
            raise Unavailable(result.message)
        else:
            outcomes.append(outcome_of(case, None, result.message))
    return outcomes


def read_cases(documents: Mapping[str, JsonValue]) -> list[TemplateCase]:
    """Read cases by name; raise InvalidInput with the name and the key that is wrong."""
    cases = []
    for name, document in documents.items():
        try:
            cases.append(read_case(name, document))
        except InvalidInput as error:
            path = ".".join(filter(None, (name, error.path)))
            raise InvalidInput(f"the case {name}: {error.message}", path=path) from None
    return cases


def _json(value: JsonValue) -> bytes:
    # Unlike the codec used elsewhere this one keeps whole numbers of any size.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
