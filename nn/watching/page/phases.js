// What happens inside a step? Forward, loss, backward, update: where it is, and a sentence with the numbers of each.

const NOT_BEGUN = "A step has four phases: forward, loss, backward, update. "
  + "Press \u201cInside a step\u201d to stop in each of them.";

function makeInside(page) {
  const sentence = piece("p", { class: "said", "aria-live": "polite" });
  const next = press(
    "inside", "Inside a step: the next phase (i)", iconOf(ICONS.inside), piece("span", {}, "Inside a step")
  );
  // The way to the weight that the sentence names, which the picture may have no room for.
  const named = piece(
    "button", { type: "button", title: "Choose the weight that the sentence names", hidden: "" }, "Show it"
  );
  const phases = piece("span"), element = piece("div", { class: "inside" }, next, phases, sentence, named);
  let seen = "", trainer = null, before = null, place = 0;
  named.onclick = () => page.choose(weightAt(page, place));
  function refresh() {
    if (page.playing && page.speed !== "phases") {
      seen = "";
      named.hidden = true;
      return write(sentence, NOT_BEGUN);
    }
    const { phase, steps } = page.trainer, key = `${phase} ${steps}`;
    const isUpdate = phase === "ready" && before && before.steps === steps - 1 && trainer === page.trainer;
    if (key === seen && trainer === page.trainer) return;
    const isFirst = phase === "ready" && !isUpdate;
    write(sentence, isFirst ? NOT_BEGUN : isUpdate ? updateSentence(page, before) : PHASE_SENTENCES[phase](page));
    before = phase === "backward" ? stateOfBatch(page) : null;
    place = before?.place ?? place;
    named.hidden = !before && !isUpdate;
    [seen, trainer] = [key, page.trainer];
  }
  return { element, phases, refresh };
}

// The loss of each example of the batch, within the step with its own dropout.
function lossesOfBatch({ trainer, network, examples }) {
  const gradient = new Float64Array(network.sizes.at(-1));
  return Array.from(trainer.batch, (k) => [
    k,
    KIT.loss(
      network.forward(trainer.rowAt(examples, k), trainer.masksFor(k)), trainer.targetAt(examples, k), gradient
    ),
  ]);
}

function largestGradient({ network: { gradients } }) {
  let place = 0;
  gradients.forEach((x, i) => { if (Math.abs(x) > Math.abs(gradients[place]) || Number.isNaN(x)) place = i; });
  return place;
}

const counted = (count, one, several = `${one}s`) => `${count} ${count === 1 ? one : several}`;
const hasDropout = ({ network: { spec } }) => spec.layers.some(({ dropout }) => dropout);

const PHASE_SENTENCES = {
  forward(page) {
    const { trainer } = page, { index: k, row, outs } = unitsNow(page), { length } = trainer.batch;
    const dropped = hasDropout(page)
      ? " Dropout sets some outputs of hidden units to 0, others anew in each step."
      : "";
    const isOther = trainer.batch.includes(k) ? "" : ", which is none of them,";
    return `Forward: ${counted(length, "example")} ${length > 1 ? "go" : "goes"} through the network, layer by layer. `
      + `The answer for example ${k + 1}${isOther} at ${listText(page, row)} is ${answerText(page, outs.at(-1))}.`
      + `${dropped}`;
  },
  loss(page) {
    const { trainer } = page, losses = lossesOfBatch(page);
    const [worst, most] = losses.reduce((a, b) => b[1] > a[1] ? b : a);
    if (losses.length < 2) {
      return `Loss: how wrong the answer is, as one number: ${page.shown(trainer.batchLoss)} for example ${worst + 1}.`;
    }
    return `Loss: how wrong the answers are, as one number: ${page.shown(trainer.batchLoss)}, `
      + `the ${KIT.isSum ? "sum" : "mean"} over ${losses.length} examples. `
      + `Example ${worst + 1} is worst, with ${page.shown(most)}.`;
  },
  backward(page) {
    const { network: { gradients } } = page, place = largestGradient(page), x = gradients[place];
    return "Backward: the chain rule, from the loss back, says how the loss changes with each of "
      + `${counted(gradients.length, "weight and bias", "weights and biases")}. `
      + `Steepest is ${nameOfPlace(page, place)}: ${page.shown(x)}. `
      + `${x > 0 ? "More of it would raise the loss." : x < 0 ? "More of it would lower the loss." : "Nothing moves."}`;
  },
};

// What the update sentence compares with.
function stateOfBatch(page) {
  const place = largestGradient(page), losses = lossesOfBatch(page);
  return {
    place, x: page.network.numbers[place], steps: page.trainer.steps,
    loss: losses.reduce((sum, [, loss]) => sum + loss, 0) / losses.length,
  };
}

function updateSentence(page, { place, x, loss }) {
  const { trainer, network } = page, losses = lossesOfBatch(page);
  const now = losses.reduce((sum, [, each]) => sum + each, 0) / losses.length;
  const effect = hasDropout(page)
    ? ""
    : ` The loss of these examples was ${page.shown(loss)} and is ${page.shown(now)}.`;
  return `Update: ${OPTIMIZER_NAMES[trainer.optimizer] ?? trainer.optimizer} `
    + `with learning rate ${page.shown(trainer.lr)} moves each weight ${wayOf(trainer)}: `
    + `${nameOfPlace(page, place)} went from ${page.shown(x)} to ${page.shown(network.numbers[place])}.${effect}`;
}

// Where an optimiser moves a weight. Those that divide by the size of the gradients so far begin with equal steps.
function wayOf({ optimizer, steps }) {
  if (optimizer === "sgd") return "against its gradient, the further the steeper";
  return "by all its gradients so far"
    + `${/^(ada|rms)/.test(optimizer) && steps === 1 ? ", in this first step all about as far" : ""}`;
}

// Names of things, in words

function nameOfWeight(page, { layer, unit, input }) {
  if (input === page.network.sizes[layer]) return `the bias of ${nameOfUnit(page, layer, unit)}`;
  return `the weight from ${nameOfInput(page, layer, input)} to ${nameOfUnit(page, layer, unit)}`;
}

// The weight that has this place among all parameters.
function weightAt({ network: { sizes, place } }, index) {
  const layer = sizes.findLastIndex((_, l) => l < sizes.length - 1 && place(l, 0, 0) <= index);
  const within = index - place(layer, 0, 0);
  return { kind: "weight", layer, unit: Math.floor(within / (sizes[layer] + 1)), input: within % (sizes[layer] + 1) };
}

const nameOfPlace = (page, index) => nameOfWeight(page, weightAt(page, index));

const MOST_SHOWN = 6;
function listText(page, numbers) {
  const texts = Array.from(numbers.subarray(0, MOST_SHOWN), page.shown);
  const rest = numbers.length > MOST_SHOWN ? ", \u2026" : "";
  return texts.length === 1 ? texts[0] : `(${texts.join(", ")}${rest})`;
}
