// Insider, on exit, second of two requests: POST https://unification.useinsider.com/api/user/v1/upsert
// Records the crossing; attribute/delete takes no events.
local ly = import 'lytemplates.libsonnet';
local crossing = ly.segEvents()[0];

local text(field) =
  local value = ly.getFirstField(field);
  if std.isString(value) && value != '' then value else null;
local known(object) = { [key]: object[key] for key in std.objectFields(object) if object[key] != null };

{
  users: [
    {
      identifiers: known({ email: text('email') }) { custom: known({ lytics_id: text('_id') }) },
      events: [
        {
          event_name: 'lytics_trigger',
          timestamp: crossing.exit,
          event_params: {
            custom: { id: crossing.id, audience: crossing.slug, trigger: crossing.event, origin: 'Lytics' },
          },
        },
      ],
    },
  ],
}
