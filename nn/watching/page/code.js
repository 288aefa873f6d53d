// What would Python write to get this network? The data, the model, the training: running it gives the page's weights.

// Own data up to so many numbers stands in the code (400 kB of it).
const INLINE = 20000;
const hasRoomForData = ({ model, state, examples }) => (
  !!model.datasets[state.data].code || examples.rows.length <= INLINE
);
const CLASSES = { sgd: "SGD", momentum: "SGD", adam: "Adam", adamw: "AdamW", rmsprop: "RMSprop", adagrad: "Adagrad" };

// A text as Python writes it, in letters that end no line and no string.
function pythonText(text) {
  const escaped = String(text).replace(/[^ -~]|["\\]/gu, (letter) => {
    if (letter === '"' || letter === "\\") return `\\${letter}`;
    const code = letter.codePointAt(0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
  return `"${escaped}"`;
}

const isName = (text) => /^[A-Za-z_]\w*$/.test(text);

// A number as Python reads it back, to the last bit; with a point, as a float.
function pythonNumber(x) {
  if (!Number.isFinite(x)) return `float("${Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf"}")`;
  const text = Object.is(x, -0) ? "-0" : String(x);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const pythonList = (items) => `[${items.join(", ")}]`;
const floats = (numbers) => pythonList(Array.from(numbers, pythonNumber));

// A long list, several numbers a line.
function wrapped(name, items, perLine) {
  if (items.length <= perLine) return [`${name} = ${pythonList(items)}`];
  const lines = Array.from(
    { length: Math.ceil(items.length / perLine) },
    (_, i) => `    ${items.slice(i * perLine, (i + 1) * perLine).join(", ")},`
  );
  return [`${name} = [`, ...lines, "]"];
}

function pythonCode(page) {
  const imports = new Set(["import nn"]);
  const sections = [dataCode(page), noiseCode(page, imports), modelCode(page, imports), fitCode(page, imports)];
  const own = (page.model.own ?? []).filter(isName).map(
    (name) => `# ${name} is your own: import it, or put its definition here.`
  );
  const standard = [...imports].filter((line) => line !== "import nn").sort();
  const head = [
    "# The network of the playground, as it is now.", ...standard, ...(standard.length ? [""] : []), "import nn",
    ...own,
  ];
  return `${[head, ...sections].filter((lines) => lines.length).map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

// Data that nn.datasets makes is made again; short data stands here; for long data there is a place.
function dataCode(page) {
  const { model, state, network: { spec: { inputs } } } = page;
  const data = model.datasets[state.data];
  if (data.code) return [`X, y = ${data.code}`];
  const { rows, targets, count } = examplesOf(data.rows, data.targets, inputs), width = targets.length / count;
  const inRows = (numbers, size) => Array.from(
    { length: count }, (_, i) => floats(numbers.subarray(i * size, (i + 1) * size))
  );
  if (hasRoomForData(page)) {
    const y = width > 1 ? inRows(targets, width) : Array.from(targets, (target) => targetCode(model, target));
    return [
      ...wrapped("X", inRows(rows, inputs), Math.max(1, Math.floor(6 / inputs))),
      ...wrapped("y", y, width > 1 ? 4 : 20),
    ];
  }
  const names = pythonList(model.names.inputs.map(pythonText));
  const wanted = model.task === "regression"
    ? "a number for each row"
    : `a class for each row, from 0 to ${Math.max(1, (model.names.classes?.length ?? 2) - 1)}`;
  return [
    "# Put the data of the page in here: it is too long to be copied.",
    `X = ...  # ${count} rows of ${inputs} ${inputs === 1 ? "number" : "numbers"}: ${names}`,
    `y = ...  # ${count} targets: ${wanted}`,
  ];
}

function targetCode(model, target) {
  return model.task !== "regression" && Number.isInteger(target) ? String(target) : pythonNumber(target);
}

function noiseCode({ state: { noise, seed } }, imports) {
  if (!noise) return [];
  imports.add("import random").add("from statistics import pstdev");
  return [
    `rng = random.Random(${seed})  # noise on the inputs, in units of each input's standard deviation`,
    "deviations = [pstdev(column) for column in zip(*X)]",
    `X = [[x + ${pythonNumber(noise)} * d * rng.gauss(0.0, 1.0) for x, d in zip(row, deviations)] for row in X]`,
  ];
}

// The model, and the weights that it begins with if no seed draws them.
function modelCode({ model, network: { spec }, state: { seed, numbers } }, imports) {
  const { inputs, scale, layers } = spec, hidden = layers.slice(0, -1), last = layers.at(-1);
  const isAlike = (name) => hidden.every((layer) => (layer[name] ?? 0) === (hidden[0][name] ?? 0));
  const isMLP = isAlike("activation") && isAlike("dropout") && last.activation === "linear" && !last.dropout;
  const lines = isMLP
    ? mlpCode(model, inputs, layers, scale, seed)
    : layersCode(model, inputs, layers, scale, seed, imports);
  if (!numbers) return lines;
  return [
    ...lines, "", "# The weights with which the training began: neuron by neuron, its weights, then its bias.",
    ...wrapped("numbers", Array.from(numbers, pythonNumber), 5),
    "for parameter, number in zip(model.parameters(), numbers, strict=True):", "    parameter.data = number",
  ];
}

// What Python knows by its name, or a function of one's own.
const nameCode = ({ own = [] }, name, other) => isName(name) ? (own.includes(name) ? name : pythonText(name)) : other;
const scaleCode = ({ means, deviations }) => `nn.Standardize(${floats(means)}, ${floats(deviations)})`;

function mlpCode(model, inputs, layers, scale, seed) {
  const { activation, dropout } = layers.length > 1 ? layers[0] : { activation: "relu", dropout: 0 };
  const drops = dropout ? `, dropout=${pythonNumber(dropout)}` : "";
  const mlp = `nn.MLP(${inputs}, ${pythonList(layers.map(({ width }) => width))}, `
    + `activation=${nameCode(model, activation, "my_activation")}${drops}, rng=${seed})`;
  return [`model = ${scale ? `nn.Sequential(${scaleCode(scale)}, ${mlp})` : mlp}`];
}

// Layers that differ, drawn one after the other, and then a generator for each dropout, as MLP draws them.
function layersCode(model, inputs, layers, scale, seed, imports) {
  imports.add("import random");
  const widths = [inputs, ...layers.map(({ width }) => width)], lines = [`rng = random.Random(${seed})`, "layers = ["];
  layers.forEach(
    ({ activation }, i) => lines.push(
      `    nn.Layer(${widths[i]}, ${widths[i + 1]}, `
        + `activation=${nameCode(model, activation, "my_activation")}, rng=rng),`
    )
  );
  lines.push("]");
  const modules = layers.flatMap(
    ({ dropout }, i) => [
      `layers[${i}]`,
      ...(dropout ? [`nn.Dropout(${pythonNumber(dropout)}, rng=random.Random(rng.getrandbits(64)))`] : []),
    ]
  );
  return [...lines, `model = nn.Sequential(${[...(scale ? [scaleCode(scale)] : []), ...modules].join(", ")})`];
}

function fitCode(page) {
  const { model, state, trainer } = page, { optimizer, rates, seed } = state, { steps } = trainer;
  const perEpoch = Math.ceil(page.examples.count / trainer.batchSize);
  const loss = nameCode(model, model.loss, "my_loss"), lines = [];
  const used = rates.filter(([first], i) => !i || first < steps);
  // An optimiser with settings of its own came with its code, in which LR stands for the learning rate.
  const made = (lr) => CLASSES[optimizer]
    ? `nn.${CLASSES[optimizer]}(model.parameters(), lr=${lr}${optimizer === "momentum" ? ", momentum=0.9" : ""})`
    : model.given.replace("LR", lr);
  let how = `optimizer=${pythonText(optimizer)}, lr=${pythonNumber(used[0][1])}`;
  if (optimizer === "momentum" || !CLASSES[optimizer]) {
    lines.push(`optimizer = ${made(pythonNumber(used[0][1]))}`);
    how = "optimizer=optimizer";
  }
  if (used.length > 1) {
    lines.splice(0, 1, ...scheduleCode(used), `optimizer = ${made("1.0")}`);
    how = 'optimizer=optimizer, schedule=Rates(optimizer), schedule_by="step"';
  }
  const length = steps % perEpoch
    ? `epochs=${Math.ceil(steps / perEpoch)}, max_steps=${steps}`
    : `epochs=${steps / perEpoch}`;
  if (!steps) {
    return [
      "# No step was made with these weights. This would train them for 100 epochs:",
      ...(lines.length ? lines.map((line) => `# ${line}`) : []),
      `# nn.fit(model, X, y, loss=${loss}, ${how}, epochs=100, batch_size=${trainer.batchSize}, rng=${seed})`,
    ];
  }
  return [
    ...lines,
    `history = nn.fit(model, X, y, loss=${loss}, ${how}, ${length}, batch_size=${trainer.batchSize}, rng=${seed})`,
  ];
}

// The learning rates that were set on the way, by the number of steps.
function scheduleCode(rates) {
  return [
    ...wrapped("rates", rates.map(([first, lr]) => `(${first}, ${pythonNumber(lr)})`), 6), "", "",
    "class Rates(nn.schedules.Schedule):",
    '    """The learning rate was changed while it learned: from which step on, and to what."""', "",
    "    def lr_at(self, step):", "        return [lr for first, lr in rates if first <= step][-1]", "", "",
  ];
}
