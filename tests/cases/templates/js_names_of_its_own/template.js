const get = (data, name) => data[name] ?? "-";
function sha1() { return "mine"; }
var lytics = "mine too";
let isEnter;
function template(data) {
  return [get(data, "email"), get(data, "other"), sha1(), lytics, typeof isEnter];
}
