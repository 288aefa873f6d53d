// How does the stepper open inside the playground? Over it, for one neuron or for the loss of one example, at the
// weights of now. What is moved in it stays in it, unless its weights are taken back.

const MOST_LETTERS = 22;
// A neuron's picture is small: it is shown so many times as large as it is laid out, at most.
const LARGEST_UNIT = 2;

// page: the playground's. what: { kind: "unit", layer, unit } or { kind: "loss" }. example: its index among the
// examples.
function openStepper(page, what, example) {
  const { trainer, model: { names, theme } } = page;
  const [row, target] = [trainer.rowAt, trainer.targetAt].map((at) => at(trainer.examples, example));
  const isUnit = what.kind === "unit", title = isUnit ? `${unitTitle(page, what)}, for example ${example + 1}`
    : `The loss of example ${example + 1}: its target is ${targetName(page, target)}`;
  // A network of its own: what the picture shows of a step that has paused must stay.
  const network = makeNetwork(page.network.spec, Float64Array.from(page.network.numbers));
  const { problem, root, parameters } = graphOf(
    network, what, row, target, Array.from(row, (_, i) => inShort(names?.inputs[i] ?? `x${i}`))
  );
  if (problem) return openOver(page, title, element("p", {}, problem));
  const model = modelOf(root, parameters, isUnit ? null : trainer.lr), host = element("div", { class: "stepper" });
  Object.assign(
    model, { theme: theme ?? "auto", pictures: { TB: pictureOf(model, "TB") } },
    isUnit ? { by: "", largest: LARGEST_UNIT } : {}
  );
  const take = element("button", { type: "button", hidden: "" }, "Use these weights in the playground");
  const notes = [
    ...isUnit ? [] : ["Names in the picture count from 0: neuron 0.1 is neuron 2 of layer 1."],
    ...what.layer ? [] : scaleNotes(network, row, names?.inputs[0] ?? "x0"),
  ];
  const over = openOver(page, title, host, take);
  if (notes.length) over.bar.append(element("p", {}, notes.join(" ")));
  const started = start(host, model, pictureOf(model, "LR"), `${title}: ${model.nodes.length} numbers`);
  const { engine, frame } = started.page;
  // The weights that differ from the playground's, by their places: the button is there for them alone.
  const moved = () => [...model.places.entries()].map(([i, place]) => [place, engine.number(`v${i}`)])
    .filter(([place, number]) => place !== undefined && !Object.is(number, network.numbers[place]));
  const look = setInterval(() => { take.hidden = !moved().length; }, 200);
  over.ending.push(started.end, () => clearInterval(look));
  take.onclick = () => {
    const changes = moved();
    over.close();
    // The last one is edited as by hand, which shows them all.
    changes.forEach(
      ([place, number], k) => k < changes.length - 1 ? page.network.numbers[place] = number : page.edit(place, number)
    );
  };
  frame.focus({ preventScroll: true });
  return over;
}

// What is explained; or the problem, in a sentence.
function graphOf(network, { kind, layer, unit }, row, target, names) {
  if (kind === "unit") return unitGraph(network, layer, unit, row, names);
  const { mostNodes } = KIT_STEPPER, size = sizeOfLoss(network);
  if (size > mostNodes) {
    return {
      problem: `The stepper goes through at most ${mostNodes} numbers, and this network's loss takes ${size}: `
        + "open one of its neurons, or take neurons away."
    };
  }
  return lossGraph(network, row, target, names)
    ?? {
      problem: "This loss has a number that the page cannot compute anew for each example: open one of the neurons."
    };
}

// What the network was to say: a class by its name and as a number, or the numbers of a regression.
function targetName(page, target) {
  const numbers = Array.from(typeof target === "number" ? [target] : target, (x) => shown(x, 6)).join(", ");
  const isClass = page.model.task && page.model.task !== "regression";
  if (!isClass || typeof classText !== "function" || typeof target !== "number") return numbers;
  const name = classText(page, Math.max(0, target));
  return name === `class ${numbers}` ? name : `${name} (${numbers})`;
}

// That the numbers are not those of the data, if they are not.
function scaleNotes({ spec: { scale } }, [x], name) {
  if (!scale) return [];
  const [mean, deviation] = [scale.means[0], scale.deviations[0]];
  const [number, m, d, scaled] = [x, mean, deviation, (x - mean) / deviation].map((one) => shown(one, 4));
  return [
    `The network takes standardised inputs, which are shown here: ${inShort(name)} ${number} is `
      + `(${number} \u2212 ${m}) / ${d} = ${scaled}.`,
  ];
}

// The page counts layers and neurons from 1, and the stepper from 0, as Python does.
const unitTitle = (page, { layer, unit }) => {
  const name = typeof nameOfUnit === "function" ? nameOfUnit(page, layer, unit) : "neuron";
  return `${name[0].toUpperCase()}${name.slice(1)} (${layer}.${unit} in the names below)`;
};

// A name of a user's as it fits into boxes and sentences: on one line, without characters that change the direction.
function inShort(name) {
  const letters = [...name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u00b7")];
  return letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS - 1).join("")}\u2026` : letters.join("");
}

// A sheet over the playground, with a title and a button that closes it, as Escape does. The focus returns to where it
// was.
function openOver(page, title, content, ...buttons) {
  const before = page.root.activeElement, close = element("button", { type: "button" }, "Close"), ending = [];
  const bar = element("div", { class: "overbar" }, element("h2", {}, title), ...buttons, close);
  const dialog = { class: "oversheet", role: "dialog", "aria-modal": "true", "aria-label": title, tabindex: -1 };
  const sheet = element("div", dialog, bar, element("div", { class: "overbody" }, content));
  const over = element("div", { class: "over" }, sheet);
  const others = [...page.frame.children].filter((child) => !child.inert);
  for (const child of others) child.inert = true;
  page.frame.append(over);
  const opened = {
    bar, ending,
    close() {
      for (const end of ending) end();
      over.remove();
      for (const child of others) child.inert = false;
      (before?.isConnected ? before : page.frame).focus();
      page.stepper = null;
    },
  };
  close.onclick = opened.close;
  sheet.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") opened.close();
  };
  sheet.focus({ preventScroll: true });
  sheet.scrollIntoView({ block: "nearest" });
  return page.stepper = opened;
}
