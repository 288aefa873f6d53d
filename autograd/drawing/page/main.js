// Turns the picture and the table of an explanation into a stepper: the parts of the page, and what they show together.

function pictureText(image) {
  const bytes = Uint8Array.from(atob(image.src.split(",")[1]), (character) => character.charCodeAt(0));
  return new TextDecoder("utf-8").decode(bytes);
}

function start(host) {
  const model = MODEL, { steps } = model, image = host.querySelector("img");
  const engine = makeEngine(model, RULES), root = host.attachShadow({ mode: "open" });
  const frame = element("div", { class: "frame", role: "group", tabindex: "0", "aria-label": "Back-propagation, step by step", "data-lm-suppress-shortcuts": "true" });
  const picture = element("div", { class: "picture" }), colours = element("style", {});
  const phase = element("span", { class: "phase" }), title = element("span", { class: "title" }), lines = element("div", { class: "lines" });
  const step = element("div", { class: "step", "aria-live": "polite" }, element("div", { class: "head" }, phase, title), lines);
  const scalars = element("div", { class: "scalars" }), panel = element("div", { class: "questions" }), livePanel = element("div", { class: "liveplace" });
  const below = element("div", { class: "panel" }, element("div", { class: "text" }, step, panel), scalars, livePanel);
  const updates = steps.findIndex((moment) => moment.phase === "update");
  let position = 0, opened = null;

  const page = {
    host, root, frame, model, engine, picture, panel, livePanel, step, title, source: pictureText(image), label: image.alt,
    end: updates < 0 ? steps.length : updates, // how many steps are done when all gradients are known
    shown: (x) => shown(x, model.precision), now: () => position, go, refresh: () => go(position), arrange,
    open(box) {
      opened = opened === box ? null : box;
      go(position, opened);
    },
  };
  const view = page.view = makeView(page);
  page.live = { show() {}, stop() {}, hide() {} };
  page.quiz = { on: false, stop: (k) => k, leave() {} };
  const controls = makeControls(page);
  image.style.display = "none";
  frame.append(controls.bar, picture, below, controls.help);
  root.append(element("style", {}, STYLE), colours, frame, element("slot", {}));

  // Goes to where k steps are done and writes everything: texts, marks, the panel.
  function go(k, open = null) {
    const asked = page.quiz.stop(Math.max(0, Math.min(steps.length, k)));
    const asking = page.quiz.on && asked < k;
    opened = open;
    position = page.quiz.on ? asked : k;
    const first = asking ? position : controls.stops().findLast((stop) => stop < position) ?? 0;
    const moments = steps.slice(first, asking ? position + 1 : position);
    const names = (key) => new Set(moments.flatMap((moment) => moment[key]));
    view.show({ k: position, boxes: names("box"), arrows: names("arrows"), receivers: names("receivers") });
    say(moments, asking);
    const touched = moments.length && new Set(moments.map((moment) => moment.box)).size === 1 ? moments[0].box : null;
    scalars.replaceChildren(...(asking ? [] : tableOf(page, opened ?? touched, moments[0]?.phase)));
    controls.refresh();
    if (asking) page.quiz.ask(position);
    else page.quiz.leave();
    page.live.show();
  }

  function say(moments, asking) {
    const [moment] = moments;
    frame.dataset.phase = moment ? moment.phase : "start";
    phase.textContent = moment ? moment.phase + (moment.phase === "update" ? "" : " pass") : "start";
    title.textContent = moment ? titleOf(page, moments, controls.way) : beginning(page);
    lines.replaceChildren(...(asking ? [] : moments.flatMap((each) => each.lines).map((line) => lineOf(page, line))));
    below.scrollTop = 0;
  }

  // Heights: bar, picture and panel together fit the window, and the picture gets what it wants.
  function arrange() {
    if (!frame.clientWidth) return; // hidden, in a tab that is not open
    const isFull = frame.classList.contains("full"), narrow = frame.clientWidth < 640;
    const most = isFull ? innerHeight : page.room(), chrome = controls.bar.offsetHeight + 4;
    const longest = controls.stops().slice(1).reduce((most, stop, i) => Math.max(most, steps.slice(controls.stops()[i], stop).flatMap((moment) => moment.lines).length), 0);
    const wanted = Math.max(page.quiz.on ? 250 : 0, 48 + 19 * longest, livePanel.scrollHeight), least = Math.min(wanted, narrow ? 170 : 124);
    const width = frame.clientWidth, wish = view.choose(width, most - chrome - least);
    const height = isFull ? most - chrome - least : Math.min(wish, most - chrome - least);
    picture.style.height = `${Math.max(height, 120)}px`;
    below.style.height = `${Math.max(least, Math.min(wanted, most - chrome - height))}px`;
    view.settle();
    go(position, opened);
  }

  page.room = roomFor(host);
  page.live = makeLive(page);
  page.quiz = makeQuiz(page);
  followPointers(page);
  const dress = (dark) => {
    frame.dataset.theme = dark ? "dark" : "light";
    colours.textContent = THEMES[frame.dataset.theme];
  };
  if (model.theme === "light" || model.theme === "dark") dress(model.theme === "dark");
  else watchTheme(host, dress);
  controls.marks();
  arrange();
  let width = frame.clientWidth, height = innerHeight;
  new ResizeObserver(() => {
    if (frame.clientWidth === width && innerHeight === height) return;
    [width, height] = [frame.clientWidth, innerHeight];
    arrange();
  }).observe(frame);
  addEventListener("resize", () => { if (innerHeight !== height) { height = innerHeight; arrange(); } });
  if (model.quiz) frame.querySelector("[data-do=quiz]").click();
  if (document.body.dataset.page === "stepper") frame.focus({ preventScroll: true }); // keys work at once
}

// How high the stepper may be: the window, or the part of it in which a notebook scrolls. In a frame that grows with
// its content, the window says nothing: there it is decided once for each width.
function roomFor(host) {
  let decided = 0, width = 0;
  return () => {
    if (self !== top && decided && Math.abs(innerWidth - width) < 40) return decided;
    let room = innerHeight;
    if (self !== top && room < 360) room = Math.min(620, screen.availHeight * 0.7);
    for (let node = host; node; node = node.parentElement || node.getRootNode().host) {
      if (node !== document.documentElement && node !== document.body && /auto|scroll/.test(getComputedStyle(node).overflowY)
        && node.clientHeight > 300) room = Math.min(room, node.clientHeight);
    }
    const alone = document.body.dataset.page === "stepper";
    [decided, width] = [Math.max(360, room - (alone ? 52 : 28)), innerWidth];
    return decided;
  };
}

function beginning({ model, live }) {
  const { steps, nodes, root } = model;
  if (!steps.length) return `${nodes[root][1]} is a leaf: its number was given, so there is nothing to compute. Its derivative by itself is 1.`;
  return "The leaves are given. Press Next: every step computes one thing.";
}

function titleOf({ model }, moments, way) {
  if (moments.length === 1) return moments[0].title;
  const { box, group } = moments[0], what = { forward: "computes", backward: "passes its gradient on", update: "moves" };
  return `${way === "group" ? group : model.boxes[box].lines[0].join("")} ${what[moments[0].phase]}`;
}

// A line of the panel. A formula that has another, exact form shows it when that is asked for.
function lineOf(page, line) {
  const code = line.find((part, i) => i % 2 && part.startsWith("f"));
  const text = filled(line, (part) => part.startsWith("f") ? formula(page, part) : page.shown(page.engine.number(part)));
  const shownLine = element("p", {}, text), exact = code ? formula(page, code.replace("f", "e")) : "";
  if (!exact) return shownLine;
  const button = element("button", { type: "button", class: "exact", "aria-expanded": "false" }, "exact formula");
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "false";
    button.setAttribute("aria-expanded", String(open));
    shownLine.firstChild.textContent = open ? filled(line, (part) => part.startsWith("f") ? exact : page.shown(page.engine.number(part))) : text;
  });
  shownLine.append(" ", button);
  return shownLine;
}

// The scalars in a neuron, product by product, or those in a folded box.
function tableOf(page, box, phase) {
  if (box === null) return [];
  const { model, engine } = page, { kind, nodes, lines } = model.boxes[box], number = (code) => {
    const x = engine.known(code, page.now());
    return x === undefined ? "" : page.shown(x);
  };
  const weighted = model.arrows.filter((arrow) => arrow.head === box && arrow.leaf >= 0);
  let heads, rows;
  if (weighted.length) {
    heads = ["input", "weight", "product", "grad weight", "to input"];
    rows = weighted.map(({ name, leaf }) => {
      const [, node, slot] = name.split("_").map(Number), operand = model.nodes[node][3][slot], isNode = typeof operand === "number";
      const x = isNode ? engine.known(`v${operand}`, page.now()) : fromJSON(operand[0]), w = engine.known(`v${leaf}`, page.now());
      return [
        isNode ? `${model.nodes[operand][1]} ${number(`v${operand}`)}` : page.shown(x), number(`v${leaf}`),
        x === undefined ? "" : page.shown(w * x), number(`g${leaf}`), isNode ? number(`c${node}.${slot}`) : "",
      ];
    });
  } else if (kind === "folded" || nodes.length > 1) {
    heads = ["", "data", "grad"];
    rows = nodes.slice(0, 100).map((i) => [model.nodes[i][1], number(`v${i}`), number(`g${i}`)]);
  } else return [];
  const row = (tag, cells) => element("tr", {}, ...cells.map((cell) => element(tag, {}, cell)));
  return [element("table", { "aria-label": `The numbers of ${lines[0].join("")}` },
    element("thead", {}, row("th", heads)), element("tbody", {}, ...rows.map((cells) => row("td", cells))))];
}

for (const host of document.querySelectorAll(`[data-autograd-stepper="${NAME}"]`)) {
  if (!host.shadowRoot) start(host);
}
