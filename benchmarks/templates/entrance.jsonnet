// The body of an entrance for Insider: every field it knows, read one by one, "" where the profile has none.
local ly = import 'lytemplates.libsonnet';
local crossing = ly.get('segment_events', '')[0];

{
  users: [
    {
      insider_id: ly.get('insider_id', ''),
      identifiers: {
        email: ly.get('email', ''),
        custom: { lytics_id: ly.get('_id', ''), lytics_last_uid: ly.get('_uid', '') },
      },
      attributes: {
        email: ly.get('email', ''),
        phone_number: ly.get('phone', ''),
        name: ly.get('first_name', ''),
        surname: ly.get('last_name', ''),
        gender: ly.get('gender', ''),
        age: ly.get('age', ''),
        language: ly.get('user_language', ''),
        country: ly.get('visit_country', ''),
        city: ly.get('visit_city', ''),
        email_optin: ly.get('consent_email_status', ''),
        gdpr_optin: ly.get('consent_gdpr_status', ''),
        sms_optin: ly.get('consent_sms_status', ''),
        whatsapp_optin: ly.get('consent_whatsapp_status', ''),
        custom: {
          status: ly.get('status', ''),
          lytics_computed_attr: ly.get('_segments', ['']),
          score_consistency: ly.get('score_consistency', ''),
          score_frequency: ly.get('score_frequency', ''),
          score_intensity: ly.get('score_intensity', ''),
          score_maturity: ly.get('score_maturity', ''),
          score_momentum: ly.get('score_momentum', ''),
          score_propensity: ly.get('score_propensity', ''),
          score_quantity: ly.get('score_quantity', ''),
          score_recency: ly.get('score_recency', ''),
          score_volatility: ly.get('score_volatility', ''),
          lytics_content: ly.get('lytics_content', ''),
          lytics_content_inferred: ly.get('lytics_content_inferred', ''),
          lytics_rollup: ly.get('lytics_rollup', ''),
          segment_prediction_percentile: ly.get('segment_prediction_percentile', ''),
        },
      },
      not_append: true,
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
