function template(data) {
  return { [data.name]: [...data.name].length, odd: "\u0000\u2028\ud800", same: data.name };
}
