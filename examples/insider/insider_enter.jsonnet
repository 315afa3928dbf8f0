// A profile entered an audience: Insider's POST /api/user/v1/upsert adds the audience's slug to lytics_computed_attr.
local profile = import 'lytemplates.libsonnet';
local change = profile.segEvents()[0];

// Insider has no use for empty values, so what is not known is left out.
local known(target, field) = if profile.get(field) == null then {} else { [target]: profile.get(field) };

{
  skip_hook: false,
  users: [
    {
      identifiers: {
        uuid: profile.get('household_id'),
        custom: { lytics_id: profile.get('_id') },
      },
      attributes: {
        custom: { lytics_computed_attr: [change.slug] }
                + known('last_basket', 'last_basket')
                + known('baskets', 'baskets')
                + known('spend_cents', 'spend_cents')
                + known('children', 'children'),
      },
      // Append: the slug joins the ones already there, and a repeat changes nothing.
      not_append: false,
      events: [
        {
          event_name: 'lytics_trigger',
          timestamp: change.enter,
          event_params: {
            custom: { id: change.id, audience: change.slug, trigger: change.event, origin: 'gatepost' },
          },
        },
      ],
    },
  ],
}
