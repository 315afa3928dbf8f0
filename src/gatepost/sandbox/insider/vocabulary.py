"""The names, formats and limits that Insider documents for its user APIs."""

import re
from typing import Final

from gatepost.model.times import DAY, Milliseconds

MAX_BODY_BYTES: Final = 5_000_000
MAX_USERS: Final = 1_000

AUDIENCE_ATTRIBUTE: Final = "lytics_computed_attr"
"""The custom array attribute in which audience memberships arrive."""

SHORT_NAMES: Final[dict[str, str]] = {
    "em": "email",
    "pn": "phone_number",
    "na": "name",
    "la": "language",
    "co": "country",
    "ci": "city",
    "lo": "locale",
}

ATTRIBUTE_TYPES: Final = {
    "email": "email",
    "phone_number": "phone",
    "uuid": "string",
    "email_optin": "boolean",
    "sms_optin": "boolean",
    "whatsapp_optin": "boolean",
    "gdpr_optin": "boolean",
    "name": "string",
    "surname": "string",
    "birthday": "birthday",
    "gender": "string",
    "age": "number",
    "language": "string",
    "locale": "string",
    "country": "string",
    "city": "string",
    "static_segment_id": "array of numbers",
    "list_id": "array of numbers",
    "app_version": "string",
    "idfa": "string",
    "model": "string",
    "last_ip": "string",
    "carrier": "string",
    "os_version": "string",
    "platform": "string",
    "timezone": "string",
}

PARAMETER_TYPES: Final = {
    "event_group_id": "string",
    "currency": "string",
    "unit_sale_price": "number",
    "quantity": "integer",
    "unit_price": "number",
    "product_id": "string",
    "name": "string",
    "taxonomy": "array of strings",
    "url": "string",
    "product_image_url": "string",
    "locale": "string",
    "color": "string",
    "size": "string",
    "shipping_cost": "string",
    "promotion_name": "string",
    "promotion_discount": "number",
    "stock": "number",
    "sid": "string",
    "source": "string",
    "device_type": "string",
    "referrer": "string",
    "user_agent": "any",
    "campaign_id": "any",
    "campaign_name": "any",
    "variant_id": "any",
    "voucher_name": "string",
    "voucher_discount": "number",
    "category": "string",
    "unit_size": "string",
}

REQUIRED_PARAMETERS: Final = {
    "purchase": ("event_group_id", "unit_sale_price", "currency"),
    "cart_page_view": ("event_group_id", "unit_sale_price", "currency"),
}

UPSERT_KEYS: Final = frozenset(
    ("users", "skip_hook", "error_callback_endpoint", "append", "not_append", "platform")
)
USER_KEYS: Final = frozenset(
    ("insider_id", "identifiers", "attributes", "events", "append", "not_append", "object_attributes")
)
REMOVAL_KEYS: Final = frozenset(("insider_id", "identifiers", "whole", "partial", "custom"))
EVENT_KEYS: Final = frozenset(("event_name", "timestamp", "event_params"))

FILLED_BY_INSIDER: Final = ("iid", "upta", "last_visited_")
"""Beginnings of attribute names that Insider computes itself."""

EMAIL_PATTERN: Final = r"^.+@.+\..+$"
PHONE_PATTERN: Final = r"^\+[1-9]\d{6,14}$"
EVENT_NAME_PATTERN: Final = r"^[a-z0-9][a-zA-Z0-9._-]*$"
"""As it is printed in answers; the service itself refuses uppercase everywhere."""

is_phone = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
is_event_name = re.compile(r"[a-z0-9][a-z0-9._-]*").fullmatch
is_system_name = re.compile(r"[a-z0-9][a-z0-9_]{0,63}").fullmatch

_CUSTOM_EVENT_RETENTION: Final = 90 * DAY
_RETENTION: Final = {
    "purchase": 730 * DAY,
    "confirmation_page_view": 730 * DAY,
    "sign_up_confirmation": 365 * DAY,
    "lead_form": 365 * DAY,
    "email_delivered": 365 * DAY,
    "email_open": 365 * DAY,
    "email_click": 365 * DAY,
}


def default_retention(event_name: str) -> Milliseconds:
    """Return how long Insider keeps events of this name unless the account says otherwise."""
    return _RETENTION.get(event_name, _CUSTOM_EVENT_RETENTION)


def is_email(text: str) -> bool:
    """Tell whether a text matches `EMAIL_PATTERN`, in linear time even for megabytes of `@`."""
    at = text.find("@", 1)
    dot = text.rfind(".", 0, len(text) - 1)
    return at > 0 and dot - at >= 2 and "\n" not in text
