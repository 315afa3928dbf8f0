function template(data) {
  return {
    raw: typeof ly_job_config,
    key: jobConfGet("list", "none"),
    missing: jobConfGet("other", "none"),
    byTarget: jobConfGetMapByTarget("fields"),
    bySource: jobConfGetMapBySource("fields"),
    noList: [jobConfGetMapByTarget("list", {}), jobConfGetMapBySource("other")],
    field: profileFieldFromConfig("email_field", "none", null, data),
    fieldOfAnother: profileFieldFromConfig("f", "none", { f: "first_name" }, data),
    unnamed: profileFieldFromConfig("other", "none", null, data),
    first: firstProfileFieldFromConfig("phone_field", "none", null, data),
    hashed: hashedProfileFieldFromConfig("email_field", "none", null, { email: "ADA@example.com" }),
    hashedAlready: hashedProfileFieldFromConfig("email_field", null, null, { email: "a".repeat(64) }),
    hashedNothing: hashedProfileFieldFromConfig("email_field", null, null, {}),
  };
}
