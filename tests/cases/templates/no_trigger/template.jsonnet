local ly = import 'lytemplates.libsonnet';
{
  events: ly.segEvents(),
  enter: ly.isEnter(),
  exit: ly.isExit(),
  slug: ly.segSlug(),
  in_any: ly.inSeg('early_birds'),
  stream: ly.stream(),
  association: ly.segAssociationGet('anything', 'nothing'),
  authorization: ly.authConfGet('region', 'nowhere'),
}
