// What stands between the helper process and the Handlebars library: the helpers a template has, how it is compiled
// and run, and what is said of one that does not compile. The library itself is `vendor/handlebars.min.js`.
"use strict";

(function (Handlebars, library) {
  const { parse, stringify } = JSON;
  const evaluate = eval;

  // Every helper gets what is written after its name, and then `options`; `needs` names what must be written.
  const helper = (name, needs, work) => {
    Handlebars.registerHelper(name, function (...given) {
      const options = given.pop();
      if (given.length < needs.length) throw new Error(`{{${name}}} needs ${needs.join(" and ")}`);
      return work(given, options.data.root, options.hash);
    });
    return name;
  };
  const blank = (value) => value === undefined || value === null || value === "";
  const names = [
    helper("json", ["a value"], ([value]) => new Handlebars.SafeString(stringify(value) ?? "null")),
    helper("default", ["a value", "what stands for it"], ([value, other]) => (blank(value) ? other : value)),
    helper("eq", ["two values", "no fewer"], ([one, other]) => one === other),
    helper("assert", ["a value", "a message"], ([value, message]) => {
      if (blank(value) || value === false) throw new Error(String(message));
      return "";
    }),
    helper("isEnter", [], (_, root) => library.isEnter(root)),
    helper("isExit", [], (_, root) => library.isExit(root)),
    helper("segSlug", [], (_, root) => library.segSlug(root)),
    helper("inSeg", ["an audience"], ([id], root) => library.inSeg(id, root)),
    helper("sha256", ["a value"], ([value]) => library.sha256(value)),
    helper("sha1", ["a value"], ([value]) => library.sha1(value)),
    helper("toPhoneE164", ["a number"], ([phone], _, hash) => library.toPhoneE164(phone, hash.region)),
  ];
  const knownHelpers = Object.fromEntries(names.map((name) => [name, true]));
  const compiled = (source) => Handlebars.precompile(source, { knownHelpers, knownHelpersOnly: true });

  // The lexer asks forty expressions for what stands at the start of all the text left. Unless told to look at no other
  // place, this engine looks through all of it each time: a template of 10 KB took seconds to compile.
  const { rules } = Handlebars.Parser.lexer;
  for (const [index, rule] of rules.entries()) {
    const here = new RegExp(rule.source, `${rule.flags}y`);
    const atStart = (text) => ((here.lastIndex = 0), here.exec(text));
    rules[index] = { [Symbol.match]: atStart };
  }

  // The parser's own words are a page of token names; what it met, and where, says more.
  Handlebars.Parser.parseError = (message, { token }) => {
    const { yylloc, match } = Handlebars.Parser.lexer;
    const ended = message.endsWith("got 'EOF'");
    const braces = match === "}}}" ? '; where a brace of the text follows, put a space: "}} }"' : "";
    const said = ended ? "the template ends too early" : `unexpected ${stringify(match)}${braces}`;
    const met = { lineNumber: yylloc.first_line, column: yylloc.first_column };
    const after = { lineNumber: yylloc.last_line, column: yylloc.last_column };
    throw token === null ? Object.assign(new Error("unreadable from here"), after) : Object.assign(new Error(said), met);
  };

  // Nothing a template does may outlive its render; what the engine shares between renders is closed for good.
  for (const shared of [Object, Array, String, Number, Boolean, Function, RegExp, Map]) Object.freeze(shared.prototype);

  return {
    fault(source) {
      try {
        compiled(source);
      } catch (error) {
        const { message, lineNumber, column } = error;
        const said = message.replace(/ - \d+:\d+$/, "").replace(/^You specified .* unknown helper/, "there is no helper");
        return stringify([said, lineNumber ?? 0, column ?? 0]);
      }
      return null;
    },
    runner(source) {
      const specification = evaluate(`() => (${compiled(source)})`);
      return (entity, config) => {
        const template = Handlebars.template(specification());
        return stringify(template({ ...parse(entity), job_config: parse(config) }).toWellFormed());
      };
    },
  };
});
