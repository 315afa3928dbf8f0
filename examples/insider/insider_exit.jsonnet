// A profile left an audience: Insider's POST /api/user/v1/attribute/delete takes just that audience's slug away.
// The call knows no events; whoever wants an exit event adds a third job that posts one to /api/user/v1/upsert.
local profile = import 'lytemplates.libsonnet';
local change = profile.segEvents()[0];

{
  users: [
    {
      // The same identifiers as on entrance, or Insider would look at another person.
      identifiers: {
        uuid: profile.get('household_id'),
        custom: { lytics_id: profile.get('_id') },
      },
      custom: { partial: { lytics_computed_attr: [change.slug] } },
    },
  ],
}
