function template(data) {
  return JSON.parse(ly_job_config);
}
