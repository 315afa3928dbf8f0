function template(data) {
  return lytics.ref("countries");
}
