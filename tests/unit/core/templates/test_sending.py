import pytest

from gatepost.core.templates.sending import RequestParts, compacted, request_parts, template_url
from gatepost.model.catalog import TemplateType
from gatepost.model.errors import TemplateError

URL = "https://hooks.example.com/in"


@pytest.mark.parametrize(
    "rendered",
    [
        '{\n   "a": 9007199254740992\n}\n',
        '"text"\n',
        "[ ]\n",
        '{ "note": "no ly_template_body here" }',
        "not JSON",
    ],
)
def test_a_render_is_sent_byte_for_byte(rendered: str) -> None:
    assert request_parts(rendered, URL) == RequestParts(body=rendered, url=URL)


@pytest.mark.parametrize("rendered", ["null\n", "null", '{ "ly_template_body": null }'])
def test_null_sends_nothing(rendered: str) -> None:
    assert request_parts(rendered, URL) is None


def test_a_template_may_decide_body_address_and_headers() -> None:
    rendered = """{
   "ly_template_body": {
      "id": 9007199254740993
   },
   "ly_template_headers": "X-Source: tea: green\\r\\n\\nX-Batch:7\\n",
   "ly_template_url": "https://other.example.com/hook"
}
"""

    parts = request_parts(rendered, URL)

    assert parts == RequestParts(
        body='{\n      "id": 9007199254740993\n   }',
        url="https://other.example.com/hook",
        headers=(("X-Source", "tea: green"), ("X-Batch", "7")),
    )


def test_a_body_that_is_a_string_is_sent_as_its_text() -> None:
    parts = request_parts('{ "ly_template_body": "a=1&b=\\u00e9" }', URL)

    assert parts == RequestParts(body="a=1&b=é", url=URL)


def test_a_key_deeper_down_is_an_ordinary_member() -> None:
    rendered = '{ "data": { "ly_template_body": 1 } }'

    assert request_parts(rendered, URL) == RequestParts(body=rendered, url=URL)


@pytest.mark.parametrize(
    ("member", "complaint"),
    [
        ('"ly_template_url": 7', "ly_template_url is 7; it must be text"),
        ('"ly_template_headers": {"X": "y"}', 'ly_template_headers is {"X": "y"}; it must be text'),
        ('"ly_template_headers": "X-Good: 1\\nno colon"', "line 2 of ly_template_headers is not a header"),
        ('"ly_template_headers": "X-Split: a\\rEvil: b"', "line 1 of ly_template_headers is not a header"),
        ('"ly_template_headers": "bad name: 1"', "line 1 of ly_template_headers is not a header"),
    ],
)
def test_what_cannot_be_sent_is_refused(member: str, complaint: str) -> None:
    with pytest.raises(TemplateError) as refused:
        request_parts(f'{{ "ly_template_body": 1, {member} }}', URL)

    assert complaint in str(refused.value)


@pytest.mark.parametrize("type_", [TemplateType.JSONNET, TemplateType.JS1])
def test_a_url_template_prints_one_string(type_: TemplateType) -> None:
    assert template_url('"https://x.example.com/\\u00fc"\n', type_) == "https://x.example.com/ü"

    with pytest.raises(TemplateError, match="prints one string"):
        template_url('{ "url": 1 }\n', type_)


def test_a_handlebars_url_template_prints_the_address_itself() -> None:
    assert (
        template_url("\nhttps://x.example.com/a?b=c\n", TemplateType.HANDLEBARS)
        == "https://x.example.com/a?b=c"
    )


@pytest.mark.parametrize("rendered", ["null\n", "", " \n"])
def test_what_printed_nothing_is_not_sent(rendered: str) -> None:
    assert request_parts(rendered, URL) is None


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (
            '{\n   "a": [\n      1,\n      0.10000000000000001\n   ],\n   "b": { }\n}\n',
            '{"a":[1,0.10000000000000001],"b":{}}',
        ),
        (
            '{"big": 7076027172059065344000, "text": "a  b\\u0085"}',
            '{"big":7076027172059065344000,"text":"a  b\\u0085"}',
        ),
        ("not JSON  at all", "not JSON  at all"),
    ],
)
def test_a_compact_body_loses_its_white_space_and_nothing_else(body: str, sent: str) -> None:
    assert compacted(body) == sent
