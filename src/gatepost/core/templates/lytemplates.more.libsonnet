// What `lytemplates.libsonnet` offers beyond the bare reading of fields; it hands these out under the same names.
// Every external variable holds JSON text and is parsed when first asked for.
local ly = import 'lytemplates.libsonnet';
local jobConfig = std.parseJson(std.extVar('ly_job_config'));
local authConfig = std.parseJson(std.extVar('ly_auth_config'));
local association = std.parseJson(std.extVar('ly_segment_association'));

local text(value) = if std.isString(value) then value else std.manifestJsonMinified(value);
local isHex(value, length) =
  std.isString(value) && std.length(value) == length
  && std.length(std.stripChars(value, '0123456789abcdef')) == 0;
local digits(value) = std.join('', [c for c in std.stringChars(value) if std.member('0123456789', c)]);

{
  local lib = self,

  getMap(a, b, default=null, obj=null)::
    local inner = if obj == null then ly.get(a) else ly.get(a, null, obj);
    if std.isObject(inner) then ly.get(b, default, inner) else default,

  jobConfGet(key, default=null):: ly.get(key, default, jobConfig),
  authConfGet(key, default=null):: ly.get(key, default, authConfig),
  segAssociationGet(key, default=null):: ly.get(key, default, association),
  stream():: std.extVar('ly_event_stream'),

  slugForEvent(ev):: ev.slug,
  idForEvent(ev):: ev.id,
  segEvIsEnter(ev):: ly.get('event', null, ev) == 'enter',
  segEvIsExit(ev):: ly.get('event', null, ev) == 'exit',
  isEnter():: std.any(std.map(lib.segEvIsEnter, ly.segEvents())),
  isExit():: std.any(std.map(lib.segEvIsExit, ly.segEvents())),
  segSlug():: std.join('', std.map(lib.slugForEvent, ly.segEvents())),
  inSeg(id)::
    local held = ly.get('_segments', []);
    std.isArray(held) && std.member(held, id)
    || std.any([ly.get('id', null, ev) == id || ly.get('slug', null, ev) == id for ev in ly.segEvents()]),

  sha256(obj):: std.native('sha256')(text(obj)),
  sha1(obj):: std.native('sha1')(text(obj)),
  hmacSha256(message, key):: std.native('hmacSha256')(text(message), text(key)),
  isValidSha256(obj):: isHex(obj, 64),
  isValidSha1(obj):: isHex(obj, 40),

  notNull(val, def):: if val == null then def else val,
  enum(value, options, default):: if std.member(options, value) then value else default,
  validatedEnum(field, enumOptions, default):: lib.enum(lib.jobConfGet(field), enumOptions, default),

  profileFieldFromConfig(configField, default=null)::
    local name = lib.jobConfGet(configField);
    if name == null then default else ly.get(name, default),
  firstProfileFieldFromConfig(configField, default=null)::
    local name = lib.jobConfGet(configField);
    if name == null then default else ly.getFirstField(name, default),
  hashedProfileFieldFromConfig(configField, default=null)::
    local value = lib.profileFieldFromConfig(configField, default);
    if value == null || isHex(value, 64) then value else lib.sha256(std.asciiLower(text(value))),

  // A number without its country is anybody's guess, so only a leading plus makes one; anything else gives null.
  toPhoneE164(phone)::
    local number = digits(text(phone));
    if std.startsWith(text(phone), '+') && std.length(number) >= 8 && std.length(number) <= 15
    then '+' + number else null,
}
