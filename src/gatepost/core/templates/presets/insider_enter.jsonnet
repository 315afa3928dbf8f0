// Insider, on entrance: POST https://unification.useinsider.com/api/user/v1/upsert
// Adds the audience just entered to the user's list and records the crossing. What the profile does not know is left out.
local ly = import 'lytemplates.libsonnet';
local crossing = ly.segEvents()[0];

local text(field) =
  local value = ly.getFirstField(field);
  if std.isString(value) && value != '' then value else null;
local number(field) =
  local value = ly.get(field);
  if std.isNumber(value) then value else null;
// A consent may be kept as a truth value or as a word; any other word says nothing.
local consent(field) =
  local value = ly.getFirstField(field);
  local word = if std.isString(value) then std.asciiLower(value) else '';
  if std.isBoolean(value) then value
  else if std.member(['true', 'yes', 'granted', 'opted_in', 'opt_in', 'subscribed'], word) then true
  else if std.member(['false', 'no', 'denied', 'opted_out', 'opt_out', 'unsubscribed'], word) then false
  else null;
local phone = text('phone');
local known(object) = { [key]: object[key] for key in std.objectFields(object) if object[key] != null };

{
  skip_hook: false,
  users: [
    known({ insider_id: text('insider_id') }) {
      identifiers: known({ email: text('email') }) { custom: known({ lytics_id: text('_id') }) },
      attributes: known({
        name: text('first_name'),
        surname: text('last_name'),
        phone_number: if phone == null then null else ly.toPhoneE164(phone),
        gender: text('gender'),
        age: number('age'),
        language: text('user_language'),
        country: text('visit_country'),
        city: text('visit_city'),
        email_optin: consent('consent_email_status'),
        gdpr_optin: consent('consent_gdpr_status'),
        sms_optin: consent('consent_sms_status'),
        whatsapp_optin: consent('consent_whatsapp_status'),
      }) {
        custom: { lytics_computed_attr: [crossing.slug] } + known({
          status: text('status'),
          score_consistency: number('score_consistency'),
          score_frequency: number('score_frequency'),
          score_intensity: number('score_intensity'),
          score_maturity: number('score_maturity'),
          score_momentum: number('score_momentum'),
          score_propensity: number('score_propensity'),
          score_quantity: number('score_quantity'),
          score_recency: number('score_recency'),
          score_volatility: number('score_volatility'),
        }),
      },
      // Only the one audience is named, so Insider must add it to those it has.
      not_append: false,
      events: [
        {
          event_name: 'lytics_trigger',
          timestamp: crossing.enter,
          event_params: {
            custom: { id: crossing.id, audience: crossing.slug, trigger: crossing.event, origin: 'Lytics' },
          },
        },
      ],
    },
  ],
}
