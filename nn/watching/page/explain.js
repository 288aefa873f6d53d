// How does the stepper open inside the playground? Over it, for one neuron or for the loss of one example, at the weights
// of now. What is moved in it stays in it, unless its weights are taken back.

const MOST_LETTERS = 22;

// page: the playground's. what: { kind: "unit", layer, unit } or { kind: "loss" }. example: its index among the examples.
function openStepper(page, what, example) {
  const { network, trainer } = page, row = trainer.rowAt(trainer.examples, example), target = trainer.targetAt(trainer.examples, example);
  const names = Array.from(row, (_, i) => inShort(page.model.names?.inputs[i] ?? `x${i}`)), isUnit = what.kind === "unit";
  const size = isUnit ? 0 : sizeOfLoss(network);
  if (size > KIT_STEPPER.mostNodes) {
    return openOver(page, `The loss of example ${example}`, element("p", {},
      `The stepper goes through at most ${KIT_STEPPER.mostNodes} numbers, and this network's loss takes ${size}: open one of its neurons, or take neurons away.`));
  }
  const graph = isUnit ? unitGraph(network, what.layer, what.unit, row, names) : lossGraph(network, row, target, names);
  const title = isUnit ? `Neuron ${what.layer}.${what.unit}, for example ${example}` : `The loss of example ${example}, whose target is ${Array.from(typeof target === "number" ? [target] : target, (x) => shown(x, 6)).join(", ")}`;
  if (!graph) return openOver(page, title, element("p", {}, "This loss has a number that the page cannot compute anew for each example: open one of the neurons."));
  const model = modelOf(graph.root, graph.parameters, isUnit ? null : trainer.lr), host = element("div", { class: "stepper" });
  boxesOfLayers(model);
  model.pictures = { TB: pictureOf(model, "TB") };
  model.theme = page.model.theme ?? "auto";
  const take = element("button", { type: "button", hidden: "" }, "Use these weights in the playground");
  const over = openOver(page, title, host, take);
  const started = start(host, model, pictureOf(model, "LR"), `${title}: ${model.nodes.length} numbers`), { engine } = started.page;
  over.ending.push(started.end);
  // The weights that differ from the playground's: the button is there for them alone.
  const moved = () => [...model.places.entries()].map(([i, place]) => [place, engine.number(`v${i}`)])
    .filter(([place, number]) => place !== undefined && !Object.is(number, network.numbers[place]));
  const look = setInterval(() => { take.hidden = !moved().length; }, 200);
  over.ending.push(() => clearInterval(look));
  take.onclick = () => {
    const changes = moved();
    over.close();
    for (const [place, number] of changes) network.numbers[place] = number;
    page.weightsChanged?.();
  };
  started.page.frame.focus({ preventScroll: true });
  return over;
}

// A name of a user's as it fits into boxes and sentences: on one line, without characters that change the direction.
function inShort(name) {
  const letters = [...name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u00b7")];
  return letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS - 1).join("")}\u2026` : letters.join("");
}

// Neurons and what is folded of them have a frame around their layer.
function boxesOfLayers({ boxes }) {
  for (const box of boxes) if (box.kind === "neuron") box.layer = box.column;
  for (const box of boxes) if (box.kind === "folded" && boxes.some(({ layer }) => layer === box.column)) box.layer = box.column;
}

// A sheet over the playground, with a title and a button that closes it, as Escape does. The focus returns to where it was.
function openOver(page, title, content, ...buttons) {
  const before = page.root.activeElement, close = element("button", { type: "button" }, "Close"), ending = [];
  const bar = element("div", { class: "overbar" }, element("h2", {}, title), ...buttons, close);
  const dialog = { class: "oversheet", role: "dialog", "aria-modal": "true", "aria-label": title, tabindex: -1 };
  const sheet = element("div", dialog, bar, element("div", { class: "overbody" }, content)), over = element("div", { class: "over" }, sheet);
  const others = [...page.frame.children].filter((child) => !child.inert);
  for (const child of others) child.inert = true;
  page.frame.append(over);
  const opened = {
    ending,
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
