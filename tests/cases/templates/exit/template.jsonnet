local ly = import 'lytemplates.libsonnet';
local event = ly.segEvents()[0];
{
  enter: ly.isEnter(),
  exit: ly.isExit(),
  slug: ly.segSlug(),
  of_event: [ly.idForEvent(event), ly.slugForEvent(event), ly.segEvIsEnter(event), ly.segEvIsExit(event)],
  in_trigger_by_slug: ly.inSeg('tea_drinkers'),
  in_trigger_by_id: ly.inSeg('0badcafe0badcafe0badcafe0badcafe'),
  in_membership: ly.inSeg('early_birds'),
  not_in: ly.inSeg('night_owls'),
}
