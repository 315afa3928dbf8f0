const template = (data) => ({
  slug: segSlug(data),
  enter: isEnter(data),
  exit: isExit(data),
  byId: inSeg("e4c8ef6712fc40d76d8202394095f3a6", data),
  bySlug: inSeg("regulars", data),
  byMembership: inSeg("loyal", data),
  other: inSeg("strangers", data),
  events: segEvents(data).length,
  nobody: [segSlug({}), isEnter({}), segEvents({ segment_events: "?" }), inSeg("regulars", null)],
});
