// Keeps the totals current; rows stay as they are until the reader asks for newer ones.
const body = document.body;
const at = (id) => document.getElementById(id);
const counters = ["requests", "users_accepted", "users_rejected", "profiles", "events"];

function showAudiences(audiences) {
  const entries = Object.entries(audiences);
  const largest = entries.length ? entries[0][1] : 1;
  at("audiences").hidden = entries.length === 0;
  at("sizes").replaceChildren(...entries.slice(0, 12).map(([name, size]) => {
    const row = document.createElement("li");
    const label = Object.assign(document.createElement("span"), { className: "name", textContent: name });
    const meter = Object.assign(document.createElement("meter"), { max: largest, value: size });
    const count = Object.assign(document.createElement("b"), { textContent: size.toLocaleString("en") });
    row.append(label, meter, count);
    return row;
  }));
  at("more-audiences").hidden = entries.length <= 12;
  at("more-audiences").querySelector("span").textContent = entries.length - 12;
}

function show(stats) {
  for (const name of counters) at("count-" + name).textContent = stats[name].toLocaleString("en");
  at("count-users_rejected").classList.toggle("bad", stats.users_rejected > 0);
  showAudiences(stats.audiences);
  const fresh = at("fresh");
  const more = stats.requests - Number(body.dataset.requests);
  if (fresh && more !== 0) {
    fresh.hidden = false;
    fresh.textContent = more > 0 ? `Show ${more.toLocaleString("en")} new` : "Start again from the newest";
  }
}

async function poll() {
  try {
    if (!document.hidden) show(await (await fetch("/sandbox/stats")).json());
  } finally {
    setTimeout(poll, 2000);
  }
}
setTimeout(poll, 2000);
