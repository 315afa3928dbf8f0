// What a template may ask about the profile, the trigger and its job. The engine reads this text anew for every
// render, so it defines what nearly all templates use, and fetches the rest only when asked for.
local entity = std.parseJson(std.extVar('ly_entity'));
local more = import 'lytemplates.more.libsonnet';

{
  local lib = self,

  has(field, obj=entity):: std.objectHas(obj, field),
  get(field, default=null, obj=entity):: if std.objectHas(obj, field) then obj[field] else default,
  getFirstField(field, default=null, obj=entity)::
    local value = lib.get(field, default, obj);
    if !std.isArray(value) then value else if std.length(value) == 0 then default else value[0],
  segEvents(obj=entity)::
    local events = lib.get('segment_events', [], obj);
    if std.isArray(events) then events else [],

  getMap:: more.getMap,
  jobConfGet:: more.jobConfGet,
  authConfGet:: more.authConfGet,
  segAssociationGet:: more.segAssociationGet,
  stream:: more.stream,
  slugForEvent:: more.slugForEvent,
  idForEvent:: more.idForEvent,
  segEvIsEnter:: more.segEvIsEnter,
  segEvIsExit:: more.segEvIsExit,
  isEnter:: more.isEnter,
  isExit:: more.isExit,
  segSlug:: more.segSlug,
  inSeg:: more.inSeg,
  sha256:: more.sha256,
  sha1:: more.sha1,
  hmacSha256:: more.hmacSha256,
  hmacSHA256:: more.hmacSha256,
  isValidSha256:: more.isValidSha256,
  isValidSha1:: more.isValidSha1,
  notNull:: more.notNull,
  enum:: more.enum,
  validatedEnum:: more.validatedEnum,
  profileFieldFromConfig:: more.profileFieldFromConfig,
  firstProfileFieldFromConfig:: more.firstProfileFieldFromConfig,
  hashedProfileFieldFromConfig:: more.hashedProfileFieldFromConfig,
  toPhoneE164:: more.toPhoneE164,
}
