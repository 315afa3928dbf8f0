class Body {
  #data;
  constructor(data) { this.#data = data; }
  *pairs() { for (const [name, value] of Object.entries(this.#data)) yield `${name}=${value ?? "?"}`; }
}
function template({ email, phones: [first, ...rest], visits: { web = 0 } = {}, ...others }) {
  const body = new Body({ email, first, web, rest: rest.length });
  return { pairs: [...body.pairs()].join("&"), name: others?.first_name?.toUpperCase(), at: [1, 2, 3].at(-1), big: 2 ** 53 };
}
