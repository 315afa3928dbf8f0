// What a JavaScript template may call. The engine reads this text anew for every render, so it defines what nearly all
// templates use, and fetches the rest when the first of it is asked for. All are configurable globals: a template may
// have its own of the same name. `host` asks the process around the engine; what crosses that border is JSON text, and
// no template gets hold of it.
"use strict";

(function (host) {
  const { parse } = JSON;
  const { defineProperty } = Object;
  const evaluate = eval;
  const or = (value, otherwise) => (value === undefined ? otherwise ?? null : value);
  const own = (obj, key) => (obj !== null && typeof obj === "object" && Object.hasOwn(obj, key) ? obj[key] : undefined);
  const variable = (name) => own(globalThis, name);
  const parsed = (name) => parse(variable(name) ?? "{}");

  const get = (field, def, obj) => or(own(obj, field), def);
  const getFirstField = (field, def, obj) => {
    const value = get(field, def, obj);
    return Array.isArray(value) ? or(value[0], def) : value;
  };
  const jobConfGet = (key, def) => get(key, def, parsed("ly_job_config"));
  const segEvents = (obj) => {
    const events = get("segment_events", [], obj);
    return Array.isArray(events) ? events : [];
  };
  const segSlug = (obj) => segEvents(obj).map((event) => event.slug).join("");
  const isEnter = (obj) => segEvents(obj).some((event) => event.event === "enter");
  const isExit = (obj) => segEvents(obj).some((event) => event.event === "exit");

  let loaded;
  const more = () => (loaded ??= evaluate(parse(host("more", "")))(common, host, { or, own, variable, parsed }));
  const names =
    "getMap authConfGet getOAuth2AccessToken jobConfGetMapByTarget jobConfGetMapBySource inSeg segAssociationGet stream " +
    "sha256 sha1 hmacSha256 hmacSHA256 isValidSha256 isValidSha1 unixTimestamp unixTimestampDateTime toPhoneE164 " +
    "profileFieldFromConfig firstProfileFieldFromConfig hashedProfileFieldFromConfig lytics";
  for (const name of names.split(" ")) {
    const plain = (value) => defineProperty(globalThis, name, { value, writable: true, configurable: true });
    defineProperty(globalThis, name, { get: () => more()[name], set: plain, configurable: true });
  }
  const common = { get, getFirstField, jobConfGet, segEvents, segSlug, isEnter, isExit };
  return Object.assign(globalThis, common);
});
