// What has been chosen, how does it become a network that learns, and how does a link hold it?

// More layers than these are not added by hand, nor more units in one than the picture has room for (MOST_UNITS).
const MOST_LAYERS = 6;
// A link holds the weights of a network with at most so many parameters (5 kB). It is trained again over so many
// examples times parameters at most (5 s), and a larger one in any case, for so many steps at most.
const LINKED = 500, AGAIN = 8e7, LONGEST = 1e6;
const LINK = /^#playground=(\d+)\.([\w-]+)$/, VERSION = 1;

// Numbers as Python sent them: a list, also of lists, or the bytes of doubles in base64.
function numbersOf(sent) {
  if (typeof sent === "string") {
    return new Float64Array(Uint8Array.from(atob(sent), (letter) => letter.charCodeAt(0)).buffer);
  }
  return Float64Array.from((sent ?? []).flat(), fromJSON);
}

function bytesOf(numbers) {
  let text = "";
  for (const byte of new Uint8Array(Float64Array.from(numbers).buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}

// Rows and targets as the trainer takes them.
function examplesOf(rows, targets, inputs) {
  const flat = numbersOf(rows);
  return { rows: flat, targets: numbersOf(targets), count: Math.floor(flat.length / inputs) };
}

// The same examples with noise on each input, in units of that input's standard deviation, always drawn alike.
function withNoise(examples, inputs, noise, seed) {
  if (!noise) return examples;
  const random = makeRandom(seed), rows = examples.rows.slice(), deviations = deviationsOf(examples, inputs);
  for (let i = 0; i < rows.length; i++) rows[i] += noise * deviations[i % inputs] * random.gauss(0, 1);
  return { ...examples, rows };
}

function deviationsOf({ rows, count }, inputs) {
  return Array.from({ length: inputs }, (_, k) => {
    const column = Array.from({ length: count }, (__, i) => rows[i * inputs + k]);
    const mean = column.reduce((sum, x) => sum + x, 0) / count;
    return Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count);
  });
}

// Layers as they came may differ among each other: then the activation, or the dropout, is "given".
function firstState(model) {
  const { spec } = model, hidden = spec.layers.slice(0, -1);
  const one = (values, none) => values.length ? values.every((x) => x === values[0]) ? values[0] : "given" : none;
  const rate = model.lr ?? KIT.optimizers[model.optimizer].lr;
  return {
    data: 0, hidden: hidden.map(({ width }) => width), activation: one(hidden.map((layer) => layer.activation), "tanh"),
    dropout: one(hidden.map((layer) => layer.dropout ?? 0), 0),
    optimizer: model.optimizer, lr: rate, batchSize: model.batchSize, noise: 0, seed: model.seed,
    axes: model.axes?.length ? model.axes : spec.inputs > 1 ? [0, 1] : [0],
    numbers: firstNumbers(model), before: 0, rates: [[0, rate]], steps: 0,
  };
}

// The weights with which the model came; null if they are those that its seed draws.
function firstNumbers({ spec, numbers, seed }) {
  const sent = numbersOf(numbers), drawn = drawNetwork(spec, seed).network.numbers;
  return sent.length === drawn.length && sent.every((x, i) => x === drawn[i]) ? null : sent;
}

// The network that the state asks for. What the page cannot change stays as it came: scale, outputs.
function specOf(model, state) {
  const { inputs, scale, layers } = model.spec, hidden = layers.slice(0, -1);
  const given = (i, name, none) => hidden[Math.min(i, hidden.length - 1)]?.[name] ?? none;
  const made = state.hidden.map((width, i) => ({
    width, activation: state.activation === "given" ? given(i, "activation", "tanh") : state.activation,
    dropout: state.dropout === "given" ? given(i, "dropout", 0) : state.dropout,
  }));
  return { inputs, scale, layers: [...made, layers.at(-1)] };
}

// The learning rate of a step, counted from 0: it may have been changed on the way.
const rateAt = (rates, step) => rates.findLast(([first]) => first <= step)[1];

// Network, examples and trainer for the state, from its first step on.
function build(page) {
  const { model, state } = page, spec = specOf(model, state), { inputs } = spec, data = model.datasets[state.data];
  const clean = examplesOf(data.rows, data.targets, inputs);
  page.examples = withNoise(clean, inputs, state.noise, state.seed);
  page.testExamples = examplesOf(data.testRows, data.testTargets, inputs);
  page.network = drawNetwork(spec, state.seed).network;
  if (state.numbers) page.network.numbers.set(state.numbers);
  beginRun(page);
}

// A trainer that begins with the weights that the network has. The losses of before stay in its history.
function beginRun(page) {
  const { network, examples, state } = page, { optimizer, lr, batchSize, seed } = state;
  const { dropouts } = drawNetwork(network.spec, seed);
  page.trainer = makeTrainer(
    { network, dropouts, examples, optimizer, lr, batchSize: Math.min(batchSize, examples.count), seed }
  );
  page.trainer.evaluate = rememberingEvaluate(page, page.trainer);
  Object.assign(state, { rates: [[0, lr]], steps: 0 });
  const { history, stepsPerEpoch } = page.trainer;
  history.push(...page.past.map((moment) => ({ ...moment, steps: moment.epochs * stepsPerEpoch })));
  page.counted = history.length;
}

// The losses of a set are computed for so many examples times parameters at most: 10 ms; less often than it plays, 1
// ms.
const MOST_STILL = 1e6, MOST_PLAYING = 1e5;

// Evaluates a set once for each state of the weights, and of a large set every so many examples.
function rememberingEvaluate(page, trainer) {
  const { evaluate } = trainer, known = new Map();
  let at = "";
  return (data) => {
    const now = `${trainer.steps} ${page.edits} ${page.playing}`;
    if (now !== at) known.clear();
    at = now;
    if (!known.has(data)) known.set(data, evaluate(everyFew(page, data)));
    return known.get(data);
  };
}

function everyFew({ network, playing }, data) {
  const { rows, targets, count } = data;
  const every = Math.ceil(count * network.numbers.length / (playing ? MOST_PLAYING : MOST_STILL));
  if (every < 2 || count < 100) return data;
  data.parts ??= {};
  const some = (numbers) => numbers.filter((_, i) => Math.floor(i * count / numbers.length) % every === 0);
  return data.parts[every] ??= { rows: some(rows), targets: some(targets), count: Math.ceil(count / every) };
}

// The trainer counts the steps of its own run; in the history they go on from those of before.
function countOn({ trainer: { history, stepsPerEpoch }, state }, from) {
  for (const moment of history.slice(from)) moment.steps += state.before * stepsPerEpoch;
  return history.length;
}

// What is trained on goes on from the weights of now, with an optimiser that remembers nothing.
function keepWeights(page) {
  const { network, trainer, state } = page;
  page.past = trainer.history.map((moment) => ({ ...moment, epochs: moment.steps / trainer.stepsPerEpoch }));
  if (!trainer.steps && !state.numbers) return; // drawn from the seed, and nothing else
  state.before += trainer.epochs;
  state.numbers = network.numbers.slice();
}

// The link

// What a link of another page differs in: its number of inputs, of outputs, its data.
function signature({ spec, datasets }) {
  const all = ({ rows, targets }) => [...numbersOf(rows), ...numbersOf(targets)];
  const marks = datasets.map((data) => `${data.name} ${mark(all(data))}`);
  return [spec.inputs, spec.layers.at(-1).width, ...marks].join("|");
}

// How many numbers they are, and one that tells others apart from them.
function mark(numbers) {
  const sum = numbers.reduce((all, x) => (Math.imul(all, 31) + Math.round(1e6 * x)) | 0, 7);
  return `${numbers.length}.${sum}`;
}

// The state as a link, and what it does not hold, as a sentence. With the weights of now there are those with which the
// run began, if no seed draws them.
function linkOf(page) {
  const { state, trainer, network, model, first } = page, { numbers, ...rest } = state;
  const { length } = network.numbers, isSmall = length <= LINKED;
  const isSet = numbers && numbers !== first.numbers;
  const isAgain = !isSmall || trainer.steps * trainer.batchSize * length <= AGAIN;
  const kept = { ...rest, of: signature(model), steps: isAgain ? trainer.steps : 0 };
  if (isSmall && (trainer.steps || numbers)) kept.numbers = bytesOf(network.numbers);
  if (isSmall && isSet && kept.steps) kept.start = bytesOf(numbers);
  if (!isAgain) Object.assign(kept, { before: state.before + trainer.epochs, rates: [[0, state.lr]] });
  const text = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(kept))));
  return {
    link: `#playground=${VERSION}.${text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")}`,
    said: isSet && !isSmall
      ? `The weights that you set are not in it: a link holds at most ${LINKED} parameters, and these are ${length}. `
        + "Copy the Python code instead."
      : !isAgain
        ? "It holds the settings and the weights of this moment. So many steps are not made again: "
          + "whoever opens it has no losses of before, and an optimiser that remembers nothing."
        : `It holds the settings and ${counted(trainer.steps, "step")}: `
          + "whoever opens it sees the network being trained again, and goes on from there.",
  };
}

// The state that a link holds, with which a run begins, and the goal of the run: how many steps it makes, and the
// weights then. Raises an Error with a sentence if it holds none that fits this page.
function stateIn(hash, model, first) {
  const found = LINK.exec(hash);
  const refuse = (what) => {
    throw new Error(`This link cannot be opened: ${what}. Ask for it again, or go on from here.`);
  };
  if (!found) refuse("it is cut off or changed");
  if (Number(found[1]) !== VERSION) {
    refuse(`it was made by another version of this page (${found[1].slice(0, 9)}; this one reads ${VERSION})`);
  }
  let read;
  try {
    const bytes = Uint8Array.from(
      atob(found[2].replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0)
    );
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    refuse("it is cut off or changed");
  }
  if (read === null || typeof read !== "object") refuse("it is cut off or changed");
  if (read.of !== signature(model)) refuse("it is of a page with other data or another model");
  const state = {};
  for (const name of Object.keys(first)) if (name !== "numbers") state[name] = read[name];
  const [now, start] = [read.numbers, read.start].map((text) => text === undefined ? null : weightsIn(text, refuse));
  const { steps } = state;
  state.numbers = (steps ? start : now) ?? (hasFirstWeights(state, first) ? first.numbers : null);
  const wrong = wrongIn(state, model, first, [now, start]);
  if (wrong) refuse(wrong);
  return { state, goal: { steps, numbers: now } };
}

// Whether the network begins as it came from Python, not with weights drawn here.
const hasFirstWeights = (state, first) => ["hidden", "seed", "activation"].every(
  (name) => JSON.stringify(state[name]) === JSON.stringify(first[name])
);

function weightsIn(text, refuse) {
  try {
    return numbersOf(String(text));
  } catch {
    return refuse("its weights are damaged");
  }
}

// What is wrong with a state, in words; "" if nothing is.
function wrongIn(state, model, first, weights) {
  const { inputs } = model.spec, isCount = (x, least, most) => Number.isInteger(x) && x >= least && x <= most;
  const isIn = (x, least, most) => typeof x === "number" && x >= least && x <= most;
  const isList = (x, most, allowed) => Array.isArray(x) && x.length <= most && x.every(allowed);
  const mostUnits = Math.max(MOST_UNITS, ...first.hidden), { optimizer, activation } = state;
  const checks = {
    data: isCount(state.data, 0, model.datasets.length - 1),
    hidden: isList(state.hidden, Math.max(MOST_LAYERS - 1, first.hidden.length), (x) => isCount(x, 1, mostUnits)),
    activation: (activation === "given" && first.activation === "given")
      || (typeof activation === "string" && Object.hasOwn(KIT.activations, activation)),
    optimizer: typeof optimizer === "string" && Object.hasOwn(KIT.optimizers, optimizer),
    lr: isRate(state.lr), batchSize: isCount(state.batchSize, 1, 1e9), noise: isIn(state.noise, 0, 100),
    dropout: isIn(state.dropout, 0, 1) || (state.dropout === "given" && first.dropout === "given"),
    seed: isCount(state.seed, 0, Number.MAX_SAFE_INTEGER), before: isIn(state.before, 0, Number.MAX_VALUE),
    steps: isCount(state.steps, 0, LONGEST),
    axes: isList(state.axes, 2, (x) => isCount(x, 0, inputs - 1)) && state.axes.length === first.axes.length
      && new Set(state.axes).size === state.axes.length,
    rates: isList(state.rates, 1000, (x) => isList(x, 2, Number.isFinite) && isRate(x[1])) && state.rates[0]?.[0] === 0,
  };
  for (const name of Object.keys(checks)) {
    if (!checks[name]) return `its ${WORDS_OF[name] ?? name} cannot be ${spoken(state[name])}`;
  }
  const count = countOf(specOf(model, state));
  for (const numbers of weights) {
    if (numbers && numbers.length !== count) {
      return `it has ${numbers.length} weights and biases, and its network ${count}`;
    }
    if (numbers && !numbers.every(Number.isFinite)) return "one of its weights is not finite";
  }
  return "";
}

const WORDS_OF = {
  lr: "learning rate", batchSize: "batch size", hidden: "layers", data: "number of the data", before: "count of epochs",
  rates: "learning rates", steps: "number of steps",
};
const isRate = (x) => typeof x === "number" && x > 0 && x <= 1e6;
const spoken = (x) => (JSON.stringify(x) ?? "missing").slice(0, 40);
