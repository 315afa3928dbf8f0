// What `lytemplates.js` offers beyond the reading of fields; it hands these out under the same names.
"use strict";

(function ({ get, getFirstField, jobConfGet, segEvents }, host, { or, own, variable, parsed }) {
  const { parse, stringify } = JSON;
  const hex = { 40: /^[0-9a-f]{40}$/, 64: /^[0-9a-f]{64}$/ };
  const text = (value) =>
    typeof value === "string" ? value : typeof value === "object" ? stringify(value) : String(value);
  const asked = (what, ...args) => parse(host(what, stringify(args.map((arg) => text(arg).toWellFormed()))));
  const isHex = (value, length) => typeof value === "string" && hex[length].test(value);
  const pairs = (key, def, from, to) => {
    const list = jobConfGet(key);
    return Array.isArray(list) ? Object.fromEntries(list.map((pair) => [pair[from], pair[to]])) : or(undefined, def);
  };
  const configured = (read, configField, def, confObj, entObj) => {
    const name = get(configField, null, confObj ?? parsed("ly_job_config"));
    return name === null ? or(undefined, def) : read(name, def, entObj);
  };

  const getMap = (a, b, def, obj) => or(own(own(obj, a), b), def);
  const authConfGet = (key, def) => get(key, def, parsed("ly_auth_config"));
  const getOAuth2AccessToken = () => getMap("oauth2_token", "access_token", "", parsed("ly_auth_config"));
  const jobConfGetMapByTarget = (key, def) => pairs(key, def, "target", "source");
  const jobConfGetMapBySource = (key, def) => pairs(key, def, "source", "target");
  const segAssociationGet = (key, def) => get(key, def, parsed("ly_segment_association"));
  const stream = () => variable("ly_event_stream") ?? "";
  const inSeg = (id, obj) => {
    const held = get("_segments", [], obj);
    const named = segEvents(obj).some((event) => event.id === id || event.slug === id);
    return named || (Array.isArray(held) && held.includes(id));
  };

  const sha256 = (value) => asked("sha256", value);
  const sha1 = (value) => asked("sha1", value);
  const hmacSha256 = (message, key) => asked("hmacSha256", message, key);
  const isValidSha256 = (value) => isHex(value, 64);
  const isValidSha1 = (value) => isHex(value, 40);
  const toPhoneE164 = (phone, region) => asked("toPhoneE164", phone ?? "", region ?? "US");

  const unixTimestamp = () => Math.floor(Date.now() / 1000);
  const unixTimestampDateTime = (dt) => {
    const seconds = Math.floor(Date.parse(text(dt)) / 1000);
    return Number.isNaN(seconds) ? null : seconds;
  };

  const profileFieldFromConfig = (...args) => configured(get, ...args);
  const firstProfileFieldFromConfig = (...args) => configured(getFirstField, ...args);
  const hashedProfileFieldFromConfig = (...args) => {
    const value = profileFieldFromConfig(...args);
    return value === null || isValidSha256(value) ? value : sha256(text(value).toLowerCase());
  };

  const lytics = {
    ref(table) {
      throw new Error(`lytics.ref(${stringify(table)}): there are no reference tables here; put the values in the template`);
    },
  };

  return {
    getMap, authConfGet, getOAuth2AccessToken, jobConfGetMapByTarget, jobConfGetMapBySource, segAssociationGet, stream,
    inSeg, sha256, sha1, hmacSha256, hmacSHA256: hmacSha256, isValidSha256, isValidSha1, toPhoneE164, unixTimestamp,
    unixTimestampDateTime, profileFieldFromConfig, firstProfileFieldFromConfig, hashedProfileFieldFromConfig, lytics,
  };
});
