// Insider, on exit, first of two requests: POST https://unification.useinsider.com/api/user/v1/attribute/delete
// Takes the audience just left off the user's list; the others stay.
local ly = import 'lytemplates.libsonnet';
local crossing = ly.segEvents()[0];

local text(field) =
  local value = ly.getFirstField(field);
  if std.isString(value) && value != '' then value else null;
local known(object) = { [key]: object[key] for key in std.objectFields(object) if object[key] != null };

assert crossing.event == 'exit' : 'insider_exit is for exits; this trigger is: ' + crossing.event;

{
  users: [
    {
      identifiers: known({ email: text('email') }) { custom: known({ lytics_id: text('_id') }) },
      custom: { partial: { lytics_computed_attr: [crossing.slug] } },
    },
  ],
}
