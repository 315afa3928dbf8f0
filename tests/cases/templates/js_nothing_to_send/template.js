function template(data) {
  if (isExit(data)) return { left: data.email };
}
