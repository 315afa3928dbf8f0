function template(data) {
  return [
    typeof ly_job_config, typeof ly_auth_config, typeof ly_segment_association, typeof ly_event_stream,
    jobConfGet("a", 1), authConfGet("a", 2), segAssociationGet("a", 3), getOAuth2AccessToken(), stream(),
    jobConfGet("a"), jobConfGetMapByTarget("a"),
  ];
}
