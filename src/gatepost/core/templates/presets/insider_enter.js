// Insider, on entrance: POST https://unification.useinsider.com/api/user/v1/upsert
// Adds the audience just entered to the user's list and records the crossing. What the profile does not know is left out.
const YES = ["true", "yes", "granted", "opted_in", "opt_in", "subscribed"];
const NO = ["false", "no", "denied", "opted_out", "opt_out", "unsubscribed"];
const SCORES = ["consistency", "frequency", "intensity", "maturity", "momentum", "propensity", "quantity", "recency", "volatility"];

function template(data) {
  const crossing = segEvents(data)[0];
  if (crossing.event !== "enter") throw new Error(`insider_enter is for entrances; this trigger is: ${crossing.event}`);

  // What is undefined is left out of the message.
  const text = (field) => {
    const value = getFirstField(field, null, data);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const number = (field) => {
    const value = get(field, null, data);
    return typeof value === "number" ? value : undefined;
  };
  // A consent may be kept as a truth value or as a word; any other word says nothing.
  const consent = (field) => {
    const value = getFirstField(field, null, data);
    const word = typeof value === "string" ? value.toLowerCase() : "";
    return typeof value === "boolean" ? value : YES.includes(word) ? true : NO.includes(word) ? false : undefined;
  };
  // A number without its country is anybody's guess.
  const phone = (field) => {
    const value = text(field) ?? "";
    const digits = value.replace(/[^0-9]/g, "");
    return value.startsWith("+") && digits.length >= 8 && digits.length <= 15 ? `+${digits}` : undefined;
  };

  return {
    skip_hook: false,
    users: [
      {
        insider_id: text("insider_id"),
        identifiers: { email: text("email"), custom: { lytics_id: text("_id") } },
        attributes: {
          name: text("first_name"),
          surname: text("last_name"),
          phone_number: phone("phone"),
          gender: text("gender"),
          age: number("age"),
          language: text("user_language"),
          country: text("visit_country"),
          city: text("visit_city"),
          email_optin: consent("consent_email_status"),
          gdpr_optin: consent("consent_gdpr_status"),
          sms_optin: consent("consent_sms_status"),
          whatsapp_optin: consent("consent_whatsapp_status"),
          custom: {
            lytics_computed_attr: [crossing.slug],
            status: text("status"),
            ...Object.fromEntries(SCORES.map((name) => [`score_${name}`, number(`score_${name}`)])),
          },
        },
        // Only the one audience is named, so Insider must add it to those it has.
        not_append: false,
        events: [
          {
            event_name: "lytics_trigger",
            timestamp: crossing.enter,
            event_params: {
              custom: { id: crossing.id, audience: crossing.slug, trigger: crossing.event, origin: "Lytics" },
            },
          },
        ],
      },
    ],
  };
}
