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
