// Attention, token by token. A lab leaves its heads' weights behind a figure (llmnotes/lab/explore.py); on screen this
// script puts in the figure's place what a reader can explore with mouse, finger or arrow keys. The figure stays for
// print, and comes back on request. Without this script it is simply there.

const NAMED = 5; // places named in words

/** An element with properties and children. */
function make(name, properties = {}, ...children) {
  const { data = {}, aria = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(name), rest);
  Object.assign(element.dataset, data);
  for (const [key, value] of Object.entries(aria)) element.setAttribute(`aria-${key}`, value);
  element.append(...children);
  return element;
}

const percent = (whole) => `${whole}\u00a0%`;
const shown = (token) => token.replaceAll("\n", "⏎").replaceAll(" ", "·") || "∅";

/** A token for the ear. */
function spoken(token) {
  if (!token) return "nothing";
  if (!token.trim()) return token.includes("\n") ? "line break" : "space";
  return token.replaceAll("\n", " line break ").trim();
}

/** The weights of a page's element: whole per cents, by head (the mean of all comes last), query and key. */
function unpack({ tokens, heads, start, weights }) {
  const bytes = Uint8Array.from(atob(weights), (character) => character.charCodeAt(0));
  const words = JSON.parse(tokens);
  const names = heads.split(" ");
  const [head, query] = start.split(" ").map(Number);
  const triangle = (words.length * (words.length + 1)) / 2;
  const weight = (head, query, key) => bytes[head * triangle + (query * (query + 1)) / 2 + key];
  return { words, names, head, query, weight, mean: names.length };
}

/**
 * Buttons of which one is chosen: one stop for Tab, with arrow keys between them.
 *
 * @param group the element around them
 * @param label what is chosen
 * @param buttons in order
 * @param keys where a key leads from a button's number: { ArrowUp: (at) => … }; others are left and right, Home and End
 * @param choose called with a button's number
 */
function choice(group, label, buttons, keys, choose) {
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", label);
  const last = buttons.length - 1;
  const leads = {
    ArrowLeft: (at) => Math.max(at - 1, 0),
    ArrowRight: (at) => Math.min(at + 1, last),
    Home: () => 0,
    End: () => last,
    ...keys,
  };
  const mark = (chosen) => {
    for (const [at, button] of buttons.entries()) {
      button.setAttribute("aria-checked", at === chosen);
      button.tabIndex = at === chosen ? 0 : -1;
    }
  };
  for (const [at, button] of buttons.entries()) {
    button.type = "button";
    button.setAttribute("role", "radio");
    button.addEventListener("click", () => choose(at));
    button.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(leads, event.key)) return;
      event.preventDefault();
      const to = leads[event.key](at);
      if (to === undefined) return;
      choose(to);
      buttons[to].focus();
    });
  }
  return mark;
}

/** Tell which button the mouse is over, and null when it leaves: a finger has no such place. */
function follow(group, buttons, tell) {
  group.addEventListener("pointerover", (event) => {
    const at = buttons.indexOf(event.target.closest("button"));
    if (event.pointerType === "mouse") tell(at < 0 ? null : at);
  });
  group.addEventListener("pointerleave", () => tell(null));
}

/** A head's weights as a small picture: what stands in the figure, at the size of a button. */
function picture(size, weight, colour) {
  const canvas = make("canvas", { width: size, height: size, aria: { hidden: true } });
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  for (let query = 0; query < size; query++) {
    for (let key = 0; key <= query; key++) {
      context.globalAlpha = strength(weight(query, key));
      context.fillRect(key, query, 1, 1);
    }
  }
  return canvas;
}

/** How strongly a weight is shaded: its root, so that a few per cent can be seen at all. */
function strength(whole) {
  return Math.sqrt(whole / 100);
}

function explore(place, number) {
  const { words, names, head, query, weight, mean } = unpack(place.dataset);
  const figure = document.getElementById(`figure-${place.dataset.figure}`);
  const chosen = { head, token: query, back: false };
  let over = {}; // the head or token under the mouse, shown for as long as it is there
  const several = names.length > 1;

  // Heads, layer by layer, and their mean

  const colour = getComputedStyle(place).getPropertyValue("--attention-map") || "gray";
  const inLayer = (layer) => [...names.keys()].filter((at) => names[at].split(".")[0] === layer);
  const layers = [...new Set(names.map((name) => name.split(".")[0]))];
  const many = layers.some((layer) => inLayer(layer).length > 6); // smaller buttons, without the layer's number
  const label = (at) => (at === mean ? `the mean of ${names.length} heads` : `head ${names[at]}`);
  const heads = (several ? [...names.keys(), mean] : [0]).map((at) =>
    make(
      "button",
      { className: "head", aria: { label: at === mean ? "mean of all heads" : `head ${names[at]}` } },
      picture(words.length, (query, key) => weight(at, query, key), colour),
      make("span", { textContent: at === mean ? "mean" : many ? names[at].split(".")[1] : names[at] }),
    ),
  );
  const rows = layers.map((layer) => inLayer(layer).map((at) => heads[at]));
  if (several) rows.push([heads[mean]]);
  const vertical = (step) => (at) => {
    const row = rows.findIndex((row) => row.includes(heads[at]));
    const to = rows[row + step];
    return to && heads.indexOf(to[Math.min(rows[row].indexOf(heads[at]), to.length - 1)]);
  };
  const headGroup = make(
    "div",
    { className: many ? "heads many" : "heads" },
    ...rows.map((row, at) =>
      make(
        "div",
        { className: "layer" },
        make("span", { textContent: at < layers.length ? `layer ${layers[at]}` : "all", aria: { hidden: true } }),
        ...row,
      ),
    ),
  );
  const upAndDown = { ArrowUp: vertical(-1), ArrowDown: vertical(1) };
  const markHeads = choice(headGroup, "Head", heads, upAndDown, (head) => take({ head }));

  // Tokens

  const tokens = words.map((word, at) =>
    make(
      "button",
      { className: "token", aria: { label: `${spoken(word)}, place ${at}` } },
      make("span", { textContent: shown(word) }),
      make("span", { className: "weight" }),
    ),
  );
  const nextHead = (step) => () => {
    take({ head: Math.min(Math.max(chosen.head + step, 0), heads.length - 1) });
  };
  const tokenGroup = make("div", { className: "tokens" }, ...tokens);
  const throughHeads = { ArrowUp: nextHead(-1), ArrowDown: nextHead(1) };
  const markTokens = choice(tokenGroup, "Token", tokens, throughHeads, (token) => take({ token }));

  const ways = ["tokens it looks at", "tokens that look at it"].map((textContent) =>
    make("button", { className: "way", textContent }),
  );
  const wayGroup = make("div", { className: "ways" }, ...ways);
  const markWays = choice(wayGroup, "Show", ways, {}, (at) => take({ back: at === 1 }));

  // What is shown, in colours, numbers and words

  const says = make("p", { className: "says" });
  const status = make("p", { className: "unseen", role: "status" });
  let speaks = 0;

  const paid = ({ head, token, back }, other) => {
    const [query, key] = back ? [other, token] : [token, other];
    return key <= query ? weight(head, query, key) : null;
  };

  const render = () => {
    const now = { ...chosen, ...over };
    markHeads(chosen.head);
    markTokens(chosen.token);
    markWays(Number(chosen.back));
    heads.forEach((button, at) => button.classList.toggle("now", at === now.head));
    for (const [at, button] of tokens.entries()) {
      const whole = paid(now, at);
      button.classList.toggle("now", at === now.token);
      button.classList.toggle("beyond", whole === null);
      button.style.setProperty("--strength", `${Math.round(100 * strength(whole ?? 0))}%`);
      button.lastChild.textContent = whole ? percent(whole) : "";
    }
    says.replaceChildren(...describe(now));
  };

  /** In words: the strongest places, and what is left for the others. */
  function describe(now) {
    const { head, token, back } = now;
    const named = (at) => `“${shown(words[at])}” (${at === token ? "itself" : at})`;
    const list = words
      .map((_, at) => [at, paid(now, at) ?? 0])
      .filter(([, whole]) => whole)
      .sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const parts = list
      .slice(0, NAMED)
      .flatMap(([at, whole], i) => [
        i ? ", " : " ",
        `${named(at)} with `,
        make("b", { textContent: percent(whole) }),
      ]);
    const rest = list.slice(NAMED);
    const who = `“${shown(words[token])}” (place ${token})`;
    const lead = `In ${label(head)}, ${who} ${back ? "is looked at by" : "looks at"}`;
    if (!list.length) return [lead, " no token with as much as 1 %."];
    if (!rest.length) return [lead, ...parts, "."];
    const most = Math.max(...rest.map(([, whole]) => whole));
    const sum = rest.reduce((sum, [, whole]) => sum + whole, 0);
    const left = rest.length === 1 ? percent(sum) : back ? `at most ${percent(most)} each` : `${percent(sum)} together`;
    return [lead, ...parts, `, and ${rest.length} more with ${left}.`];
  }

  function take(change) {
    Object.assign(chosen, change);
    over = {};
    render();
    clearTimeout(speaks);
    // said once the keys rest, not at every step
    speaks = setTimeout(() => {
      status.textContent = says.textContent.replaceAll("·", " ").replaceAll("⏎", "line break");
    }, 400);
  }

  follow(headGroup, heads, (head) => {
    over = head === null ? {} : { head };
    render();
  });
  follow(tokenGroup, tokens, (token) => {
    over = token === null ? {} : { token };
    render();
  });

  // The figure: away on screen, there in print and on request

  const caption = make("div", { className: "caption" });
  caption.innerHTML = figure?.querySelector("figcaption")?.innerHTML ?? "";
  const back = make("button", { type: "button", className: "back" });
  const toggle = (away) => {
    figure.classList.toggle("explored", away);
    caption.hidden = !away;
    back.textContent = away ? "Show the figure" : "Hide the figure";
    back.setAttribute("aria-expanded", !away);
  };
  if (figure) {
    back.setAttribute("aria-controls", figure.id);
    back.addEventListener("click", () => toggle(!figure.classList.contains("explored")));
    toggle(true);
    figure.before(place); // so that the figure, when it comes back, is below
  }
  const alt = figure?.querySelector("[role=img]")?.ariaLabel ?? "";
  place.append(
    ...(alt ? [make("p", { className: "unseen", textContent: alt })] : []),
    make(
      "div",
      { className: "choose" },
      ...(several ? [headGroup] : []),
      make("div", { className: "text" }, wayGroup, tokenGroup, says),
    ),
    make("p", {
      className: "hint",
      textContent:
        "Point at or tap a token" +
        (several ? " or a head" : "") +
        "; with the keyboard, arrow keys: left and right for tokens" +
        (several ? ", up and down for heads." : "."),
    }),
    caption,
    ...(figure ? [back] : []),
    status,
  );
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", `Attention to explore${number ? `, ${number + 1}` : ""}`);
  render();
  place.hidden = false;

  // a link to the figure leads here
  const seek = () => {
    if (figure && location.hash === `#${figure.id}` && figure.classList.contains("explored")) place.scrollIntoView();
  };
  addEventListener("hashchange", seek);
  seek();
}

document.querySelectorAll(".attention-explorer[data-weights]").forEach(explore);
