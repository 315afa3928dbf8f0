function template(data) {
  return {
    there: get("email", "nobody", data),
    missing: get("nickname", "none", data),
    missingWithoutDefault: get("nickname", undefined, data),
    storedNull: get("score", 7, data),
    ofNothing: get("email", "none"),
    inherited: get("toString", "none", data),
    first: getFirstField("phones", "none", data),
    firstOfOne: getFirstField("email", "none", data),
    firstOfNone: getFirstField("nickname", "none", data),
    firstOfEmpty: getFirstField("list", "none", { list: [] }),
    inMap: getMap("visits", "web", 0, data),
    notInMap: getMap("visits", "app", 0, data),
    noMap: getMap("email", "web", undefined, data),
  };
}
