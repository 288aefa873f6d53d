// What are the boxes, arrows and steps of a network's loss, or of one neuron? As Python's `explain(..., model=)` has
// them (autograd/drawing/network.py and moments.py): the same nodes in the same order, the same names, the same
// sentences.

const isNode = (x) => !!x.operands;

// A node: an operation and its operands, which are nodes or constants ({ number, name }). A leaf has no operation.
// `short` is what it is called in its network ("w0.1.3"), `label` what a user calls it.
// `at` is the place of a parameter among the network's numbers.
const leaf = (data, short = "", label = "", at = undefined) => (
  { operation: "", operands: [], data, short, label, at }
);

// The nodes that the root needs, each after its parents.
function topologicalOrder(root) {
  const order = [], seen = new Set();
  function visit(node) {
    seen.add(node);
    const parents = node.operands.filter(isNode);
    for (const parent of parents) if (parent.operation && !seen.has(parent)) visit(parent);
    for (const parent of parents) if (!parent.operation && !seen.has(parent)) seen.add(parent) && order.push(parent);
    order.push(node);
  }
  visit(root);
  return order;
}

function counted(things) {
  const counts = new Map();
  for (const thing of things) counts.set(thing, (counts.get(thing) ?? 0) + 1);
  return counts;
}

// A name for each node, no two alike: its label; its short name in the network; or its operation and a count.
function namesOf(order) {
  const labels = counted(order.map(({ label }) => label)), counts = new Map(), names = new Map();
  const taken = new Set([...labels.keys()].filter((label) => label && labels.get(label) === 1));
  for (const node of order) {
    const stem = node.label || node.operation || "v";
    let name = node.label;
    while (!name || !taken.has(node.label)) {
      counts.set(stem, (counts.get(stem) ?? 0) + 1);
      name = `${stem}${counts.get(stem)}`;
      if (!taken.has(name)) break;
    }
    taken.add(name);
    names.set(node, name);
  }
  const inNetwork = order.filter((node) => node.short && !node.label);
  const shorts = counted(inNetwork.map(({ short }) => short));
  const others = new Set(order.filter((node) => !node.short || node.label).map((node) => names.get(node)));
  for (const node of inNetwork) {
    if (shorts.get(node.short) === 1 && !others.has(node.short)) names.set(node, node.short);
  }
  return names;
}

// Which boxes there are, and which lines between them

// A box for each neuron, each input, each other node and each of its constants; then `lines` between them, each with
// the weight that stands on it, or null. `home` says in which box a node is.
function groupsOf(order) {
  const groups = [], lines = [], home = new Map(), byKey = new Map();
  const add = (group) => groups[
    groups.push({ kind: "operation", nodes: [], numbers: [], layer: null, place: 0, title: "", count: 1, ...group }) - 1
  ];
  for (const node of order) {
    if (!node.unit) continue;
    const { layer, unit, weights, bias } = node.unit;
    const group = add({ kind: "neuron", layer, place: unit, title: `neuron ${layer}.${unit}`, unit: node.unit });
    for (const own of [...weights, bias, node]) home.set(own, group);
  }
  for (const node of order) {
    const own = home.get(node) ?? (node.totalOf && home.get(node.totalOf))
      ?? add({ kind: node.operation ? "operation" : "leaf" });
    home.set(node, own);
    if (node.operation || own.kind === "leaf") own.nodes.push(node);
    if (own.kind === "neuron" && node.totalOf) own.activation = node;
  }
  for (const node of order) {
    const head = home.get(node), weights = node.unit?.weights ?? [];
    node.operands.forEach((operand, slot) => {
      const place = slot - weights.length, weight = weights[place] ?? null;
      let tail = isNode(operand) ? home.get(operand) : null;
      // A constant of an activation is its own.
      if (tail === head || (!tail && !weight && head.kind === "neuron")) return;
      if (weight && tail?.kind === "leaf" && tail.layer === null) {
        Object.assign(tail, { layer: "inputs", place, title: operand.label });
      }
      if (!tail) {
        const key = weight
          ? `input ${place}`
          : `${order.indexOf(node)} `
            + `${node.operands.filter((x) => !isNode(x)).length > KIT_STEPPER.mostConstants ? "" : slot}`;
        if (!byKey.has(key)) {
          byKey.set(
            key, add(weight ? { kind: "input", layer: "inputs", place, title: operand.name } : { kind: "constant" })
          );
        }
        tail = byKey.get(key);
        tail.numbers.push(operand.number);
      }
      lines.push({ tail, head, weight, edges: [[node, slot]] });
    });
  }
  return { groups, lines, home };
}

// Gives each group its column: the longest way from what nothing leads to, the same for all neurons of a layer.
function placeInColumns({ groups, lines }) {
  const standIn = (group) => group.unit || group.isLot ? group.layer : group, before = new Map(), levels = new Map();
  for (const { tail, head } of lines) {
    if (!before.has(standIn(head))) before.set(standIn(head), new Set());
    before.get(standIn(head)).add(standIn(tail));
  }
  function level(one) {
    if (!levels.has(one)) levels.set(one, 1 + Math.max(-1, ...[...before.get(one) ?? []].map(level)));
    return levels.get(one);
  }
  for (const group of groups) group.column = level(standIn(group));
  for (const group of groups) {
    const heads = lines.filter(({ tail }) => tail === group).map(({ head }) => head.column);
    if (!lines.some(({ head }) => head === group) && heads.length) group.column = Math.min(...heads) - 1;
  }
}

// The middle neurons of a wide layer share a box, and so do the middle ones of many inputs.
function foldMiddles(scene) {
  const layers = new Map(), ends = new Map(), { mostInALayer, ends: kept } = KIT_STEPPER;
  for (const group of scene.groups) {
    if (group.layer !== null) layers.set(group.layer, [...layers.get(group.layer) ?? [], group]);
  }
  for (const all of layers.values()) {
    if (all.length <= mostInALayer) continue;
    const middle = all.sort((a, b) => a.place - b.place).slice(kept, -kept), [first] = middle;
    const what = first.unit ? "neurons" : "inputs";
    const lot = {
      ...first, kind: "folded", isLot: !!first.unit, unit: null, title: `+${middle.length} ${what}`,
      count: middle.length,
    };
    lot.nodes = middle.flatMap(({ nodes }) => nodes);
    for (const group of middle) ends.set(group, lot);
  }
  if (!ends.size) return;
  const end = (group) => ends.get(group) ?? group, lots = new Set(ends.values()), pairs = new Map(), joined = new Map();
  scene.groups = [...scene.groups.filter((group) => !ends.has(group)), ...lots];
  for (const [node, group] of scene.home) scene.home.set(node, end(group));
  const number = new Map(scene.groups.map((group, i) => [group, i]));
  const pair = ({ tail, head }) => `${number.get(tail)} ${number.get(head)}`;
  const lines = scene.lines.map(
    (line) => ({ ...line, tail: end(line.tail), head: end(line.head) })
  ).filter(({ tail, head }) => tail !== head);
  for (const line of lines) pairs.set(pair(line), (pairs.get(pair(line)) ?? 0) + 1);
  lines.forEach((line, i) => {
    const isJoined = pairs.get(pair(line)) > 1 && (lots.has(line.tail) || lots.has(line.head));
    const key = isJoined ? pair(line) : `line ${i}`;
    if (joined.has(key)) joined.get(key).edges.push(...line.edges);
    else joined.set(key, { ...line, weight: isJoined ? null : line.weight, edges: [...line.edges] });
  });
  scene.lines = [...joined.values()];
}

// The groups column by column. Neurons and inputs keep their order; every other group stands where what leads to it is
// in the middle, or what it leads to.
function inRows({ groups, lines }) {
  const columns = [], height = new Map(groups.map((group) => [group, 0]));
  for (const group of groups) (columns[group.column] ??= []).push(group);
  const parents = (one) => lines.filter(({ head }) => head === one).map(({ tail }) => tail);
  const users = (one) => lines.filter(({ tail }) => tail === one).map(({ head }) => head);
  const spread = (some) => some.forEach((group, row) => height.set(group, row - (some.length - 1) / 2));
  for (let time = 0; time < 2; time += 1) { // leaves look to what uses them, which has a height from the first time on
    columns.forEach((column, c) => {
      const layered = column.filter(({ layer }) => layer !== null).sort((a, b) => a.place - b.place);
      const others = column.filter(({ layer }) => layer === null);
      spread(layered);
      for (const group of others) {
        const near = [parents(group), users(group)].find((some) => some.length) ?? [];
        height.set(group, near.length ? near.reduce((sum, one) => sum + height.get(one), 0) / near.length : 0);
      }
      columns[c] = [...layered, ...others.sort((a, b) => height.get(a) - height.get(b))];
      spread(columns[c]);
    });
  }
  return columns.flat();
}

// What stands in a box, in words and codes.
function boxOf(group, index, number, names) {
  const code = (words, kind, node) => [words, `${kind}${index.get(node)}`, ""], { kind, title } = group;
  const nodes = group.nodes.map((node) => index.get(node)).sort((a, b) => a - b), result = group.nodes.at(-1);
  const box = (lines, colour) => ({ kind, lines, nodes, colour, column: group.column });
  const plain = (x) => shown(x, Number.isInteger(x) ? 6 : KIT_STEPPER.precision);
  if (kind === "neuron") {
    const { bias } = group.unit, [total] = group.nodes, { activation } = group;
    const after = activation ? [code(`${activation.operation} `, "v", activation), code("grad ", "g", activation)] : [];
    return box(
      [[title], code("b ", "v", bias), code("sum ", "v", total), code("grad ", "g", total), ...after],
      `g${index.get(total)}`
    );
  }
  if (kind === "folded") return box(nodes.length ? [[title], ["grad ", `q${number}`, ""]] : [[title]], "");
  if (kind === "input") return box([[title], [plain(group.numbers[0])]], "");
  if (kind === "constant") {
    return box([[group.numbers.length === 1 ? plain(group.numbers[0]) : `${group.numbers.length} numbers`]], "");
  }
  const operation = result.label && result.operation ? [[result.operation]] : [];
  return box(
    [[names.get(result)], ...operation, code("data ", "v", result), code("grad ", "g", result)], `g${nodes[0]}`
  );
}

function arrowOf({ tail, head, weight, edges }, number, index) {
  const [[node, slot]] = edges, i = index.get(node);
  const arrow = {
    name: `e_${i}_${slot}`, tail: number.get(tail), head: number.get(head), lines: [], colour: "", leaf: -1,
  };
  if (weight) {
    const w = index.get(weight);
    return { ...arrow, lines: [["", `v${w}`, ""], ["grad ", `g${w}`, ""]], colour: `g${w}`, leaf: w };
  }
  if (!isNode(node.operands[slot])) return arrow;
  if (edges.length > 1) return { ...arrow, lines: [[`\u00d7${edges.length}`]] };
  return { ...arrow, lines: [["", `l${i}.${slot}`, ""]], colour: `c${i}.${slot}` };
}

// The steps

// A sentence of Python's as a text: [v{i}] is a code, {name} a part that is a word or a text itself. Each is taken
// apart once: a network of 450 weights has 2,300 of them.
const apart = new Map();
function sentence(words, parts = {}) {
  if (!apart.has(words)) apart.set(words, words.split(/\[(.*?)\]/).map((piece) => piece.split(/\{(\w+)\}/)));
  const text = [""];
  const append = (part) => {
    const [first, ...others] = Array.isArray(part) ? part : [part];
    text[text.length - 1] += first;
    text.push(...others);
  };
  apart.get(words).forEach((piece, k) => {
    const filling = piece.map((word, j) => j % 2 ? parts[word] : word);
    if (k % 2) text.push(filling.join(""), "");
    else filling.forEach(append);
  });
  return text;
}

const joinedBy = (texts, separator) => texts.reduce((all, text) => {
  const [first, ...others] = text;
  return [...all.slice(0, -1), all.at(-1) + separator + first, ...others];
});

// The operation applied to texts: "a * b", or "tanh(n)".
function callOf({ operation }, terms) {
  const { symbols, mostLines } = KIT_STEPPER, symbol = symbols[operation], count = terms.length >> 1;
  const operand = (term) => term.length === 1 && term[0].startsWith("-") ? [`(${term[0]})`] : term;
  const bare = (term) => term.map((part, k) => k % 2 ? part.replace(/^\(/, "") : part);
  const listed = (texts, separator) =>
    joinedBy(texts.length > mostLines ? [...texts.slice(0, mostLines - 2), ["..."], texts.at(-1)] : texts, separator);
  if (terms.length === 2 && symbol) return joinedBy(terms.map(operand), ` ${symbol} `);
  if (operation === "dot") {
    const products = terms.slice(0, count).map((term, k) => joinedBy([operand(term), operand(terms[count + k])], "*"));
    return listed([...products, ...terms.slice(2 * count).map(operand)], " + ");
  }
  return sentence(`${operation}({list})`, { list: listed(terms.map(bare), ", ") });
}

// The nodes with an operation so that those of one box follow each other.
function boxByBox(order, boxOf) {
  const members = new Map(), done = new Set(), found = [];
  for (const node of order) if (node.operation) members.set(boxOf(node), [...members.get(boxOf(node)) ?? [], node]);
  function visit(box) {
    if (done.has(box)) return;
    done.add(box);
    const waits = members.get(box).flatMap((node) => node.operands.filter((x) => isNode(x) && x.operation).map(boxOf));
    for (const other of [...new Set(waits)].sort((a, b) => a - b)) visit(other);
    found.push(...members.get(box));
  }
  for (const box of members.keys()) visit(box);
  return found;
}

// All steps, in the order of the pages that Python makes.
function stepsOf(order, { index, names, boxOf, arrows, boxes, inputs, lr, moved }) {
  const { words, mostLines, precision } = KIT_STEPPER, root = order.at(-1);
  const parentsOf = ({ operands }) => [...operands.entries()].filter(([, x]) => isNode(x));
  const byHead = new Map();
  for (const { head, name } of arrows) byHead.set(head, [...byHead.get(head) ?? [], [name.split("_")[1], name]]);
  function moment(phase, title, lines, node, receivers = []) {
    const i = index.get(node), box = boxOf(node), own = phase === "update" ? [] : byHead.get(box) ?? [];
    return {
      phase, title: title.join(""), node: i, box,
      arrows: own.filter(([owner]) => owner === `${i}`).map(([, name]) => name),
      receivers: [...new Set(receivers.map(boxOf))].filter((b) => b !== box), group: `${boxes[box].column}`, lines,
    };
  }
  function forward(node) {
    const i = index.get(node), name = names.get(node), { operands } = node, parents = parentsOf(node);
    const again = counted(operands.filter(isNode));
    const show = (x) => shown(x.number, precision);
    const letters = operands.map((x, slot) => [isNode(x) ? names.get(x) : inputs.get(`e_${i}_${slot}`) ?? show(x)]);
    const numbers = operands.map((x) => isNode(x) ? ["", `(v${index.get(x)}`, ""] : [show(x)]);
    const lines = [
      sentence(words.computed, { name, call: callOf(node, letters) }),
      sentence(words.result, { name, call: callOf(node, numbers), i }),
    ];
    for (const [slot, x] of parents.slice(0, mostLines)) {
      const place = again.get(x) > 1 ? sentence(words.place, { slot: slot + 1 }) : "";
      lines.push(sentence(words.local, { name, parent: names.get(x), i, slot, place }));
    }
    if (parents.length > mostLines) lines.push(sentence(words["more locals"], { count: parents.length - mostLines }));
    return moment("forward", sentence(words.compute, { name }), lines, node);
  }
  function backward(node, k) {
    const i = index.get(node), name = names.get(node), parents = parentsOf(node);
    const lines = k ? [] : [sentence(words.one, { name })];
    for (const [slot, x] of parents.slice(0, mostLines)) {
      for (const line of ["rule", "sum"]) lines.push(sentence(words[line], { name, parent: names.get(x), i, slot }));
    }
    if (parents.length > mostLines) lines.push(sentence(words["more sums"], { count: parents.length - mostLines }));
    return moment("backward", sentence(words.pass, { name }), lines, node, parents.map(([, x]) => x));
  }
  function update() {
    const about = (node) => ({ name: names.get(node), i: index.get(node) });
    const moves = moved.map(
      (node) => moment(
        "update", sentence(words.move, about(node)), [sentence(words.moved, about(node)), sentence(words.later)], node
      )
    );
    return [
      ...moves,
      moment(
        "update", [words.again], ["root", "promise", "what"].map((line) => sentence(words[line], about(root))), root
      ),
    ];
  }
  const computed = boxByBox(order, boxOf);
  return [...computed.map(forward), ...computed.toReversed().map(backward), ...(lr === null ? [] : update())];
}

// The numbers of the nodes, and their local derivatives by each operand (null for a constant).
function evaluated(order) {
  const values = new Map(), locals = [];
  for (const node of order) {
    const xs = node.operands.map((x) => isNode(x) ? values.get(x) : x.number);
    const rule = RULES[`${node.operation} ${xs.length}`];
    values.set(node, node.operation ? rule.value(...xs) : node.data);
    locals.push(
      node.operation ? rule.derivatives(values.get(node), ...xs).slice(0, xs.length).map(
        (x, k) => isNode(node.operands[k]) ? x : null
      ) : []
    );
  }
  return { values, locals };
}

// All that the stepper knows of the root, as Python's `model_of` has it. `parameters` are those that an update moves,
// and lr is its learning rate, or null for no update.
function modelOf(root, parameters, lr) {
  const order = topologicalOrder(root), index = new Map(order.map((node, i) => [node, i])), names = namesOf(order);
  for (const { operation, operands } of order) if (operation === "dot") dotOf(operands.length);
  const { values, locals } = evaluated(order), scene = groupsOf(order);
  placeInColumns(scene);
  foldMiddles(scene);
  const rows = inRows(scene), number = new Map(rows.map((group, i) => [group, i]));
  const boxAt = (node) => number.get(scene.home.get(node));
  const boxes = rows.map((group, i) => boxOf(group, index, i, names));
  const arrows = scene.lines.map((line) => arrowOf(line, number, index));
  const strips = counted(arrows.map(({ head }) => boxes[head].column));
  const moved = parameters.filter((node) => index.has(node));
  for (const arrow of arrows) if (strips.get(boxes[arrow.head].column) > KIT_STEPPER.mostLabels) arrow.lines = [];
  // A number has a name where a line leads from its input.
  const inputs = new Map(
    arrows.filter(({ tail }) => boxes[tail].kind === "input").map(({ name, tail }) => [name, boxes[tail].lines[0][0]])
  );
  const operands = (node, i) => node.operands.map((x, slot) => {
    const name = inputs.get(`e_${i}_${slot}`);
    return isNode(x) ? index.get(x) : name ? [x.number, name] : [x.number];
  });
  return {
    nodes: order.map((node, i) => [node.operation, names.get(node), values.get(node), operands(node, i)]), locals,
    root: order.length - 1, places: order.map(({ at }) => at),
    precision: KIT_STEPPER.precision, lr, moved: moved.map((node) => index.get(node)), boxes, arrows,
    steps: stepsOf(order, { index, names, boxOf: boxAt, arrows, boxes, inputs, lr, moved }), quiz: false, theme: "auto",
    live: true,
  };
}

// The rule and the formula of a `dot` of so many operands: pairs of factors, and at the end what is added to their
// products.
function dotOf(count) {
  const key = `dot ${count}`, half = count >> 1, factor = (k) => k < half ? k + half : k < 2 * half ? k - half : -1;
  RULES[key] ??= RULES["dot 3"];
  FORMULAS[key] ??= {
    ways: (o, ...x) => x.map(() => 0),
    texts: Array.from({ length: count }, (_, k) => [factor(k) < 0 ? ["1"] : ["", `x${factor(k)}`, ""]]),
  };
}

// The graphs

// The nodes of a template of Python's: what its operands stand for, a node of the template (0, 1, ...), one of what it
// begins with (-1, -2, ...), a constant ([x]), or a multiple of a target's number and a constant (["t", k, a, b]).
function grown(template, begin, targets = []) {
  const nodes = [];
  for (const [operation, operands] of template) {
    const operand = (x) => {
      if (!Array.isArray(x)) return x < 0 ? begin[-1 - x] : nodes[x];
      return { number: x[0] === "t" ? x[2] * targets[x[1]] + x[3] : fromJSON(x[0]), name: "" };
    };
    nodes.push({ operation, operands: operands.map(operand), short: "", label: "" });
  }
  return nodes;
}

// A neuron: its sum, and what its activation makes of it. inputs: nodes, or constants.
function neuronOf({ place, numbers, spec }, layer, unit, inputs) {
  const path = `${layer}.${unit}`, start = place(layer, unit, 0), count = inputs.length;
  const weights = inputs.map((_, k) => leaf(numbers[start + k], `w${path}.${k}`, "", start + k));
  const bias = leaf(numbers[start + count], `b${path}`, "", start + count);
  const total = {
    operation: "dot", operands: [...weights, ...inputs, bias], short: `sum${path}`, label: "", layer,
    unit: { layer, unit, weights, bias },
  };
  const nodes = grown(KIT_STEPPER.activations[spec.layers[layer].activation], [total]);
  for (const node of nodes) node.layer = layer;
  return { parameters: [...weights, bias], total, out: nodes.at(-1) ?? total };
}

// Marks the activations: the lone use of a neuron's sum belongs to the neuron, another lone use has a name without a
// count. What comes after a last neuron that is linear is the loss's.
function markActivations(root) {
  const order = topologicalOrder(root), uses = counted(order.flatMap(({ operands }) => operands));
  for (const node of order) {
    const [x] = node.operands.filter(isNode);
    if (!KIT_STEPPER.activationNames.includes(node.operation) || uses.get(x) !== 1) continue;
    if (x.unit && node.layer === undefined) continue;
    if (x.unit) node.totalOf = x;
    const path = /^[^\d]*(\d.*)?$/.exec(x.short)?.[1] ?? "";
    node.short = node.operation + path;
  }
  return root;
}

// The loss of one example through the whole network; null where Python sent no graph of such a loss.
function lossGraph(network, row, target, names) {
  const targets = typeof target === "number" ? [target] : [...target];
  const template = KIT_STEPPER.losses[targets.length === 1 ? target : ""] ?? KIT_STEPPER.losses[""];
  if (!template) return null;
  let outs = scaledRow(network.spec, row).map((number, i) => ({ number, name: names[i] }));
  const parameters = [];
  network.spec.layers.forEach(({ width }, l) => {
    outs = Array.from({ length: width }, (_, j) => neuronOf(network, l, j, outs)).map((neuron) => {
      parameters.push(...neuron.parameters);
      return neuron.out;
    });
  });
  const root = markActivations(grown(template, outs, targets).at(-1) ?? outs[0]);
  return { root: Object.assign(root, root.layer === undefined ? { label: "loss" } : {}), parameters };
}

// One neuron, whose inputs are leaves that one may move.
function unitGraph(network, layer, unit, row, names) {
  const before = layer ? network.units(row)[layer] : scaledRow(network.spec, row);
  const { activation } = network.spec.layers[layer - 1] ?? {};
  const inputs = Array.from(
    before,
    (number, i) => leaf(
      number, "",
      layer ? `${KIT_STEPPER.activations[activation].length ? activation : "sum"}${layer - 1}.${i}` : names[i]
    )
  );
  const { out, parameters } = neuronOf(network, layer, unit, inputs);
  return { root: markActivations(out), parameters };
}

function scaledRow({ scale }, row) {
  return Array.from(row, (x, i) => scale ? (x - scale.means[i]) / scale.deviations[i] : x);
}

// How many nodes the graph of the loss has, without making it.
function sizeOfLoss({ sizes, spec, numbers }) {
  const units = spec.layers.reduce(
    (sum, { width, activation }) => sum + width * (1 + KIT_STEPPER.activations[activation].length), 0
  );
  return numbers.length + units
    + Math.max(0, ...Object.values(KIT_STEPPER.losses).map((template) => template?.length ?? 0));
}
