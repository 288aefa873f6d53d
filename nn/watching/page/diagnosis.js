// Why does the network not learn? What one step on the examples says, with the thresholds and in the words of
// `nn.diagnose`.

// Layers and neurons are counted from 1, as everywhere in the page. Nothing is dropped here, so that the answer stays
// the same while nothing is trained.
const MOST_EXAMPLES = 200;

// The problems of the page's network as it is, the worst first: [{ name, seen, remedy }].
function diagnose({ network: { spec, sizes, numbers }, trainer }) {
  const { examples, optimizer, lr, steps, states } = trainer, count = Math.min(examples.count, MOST_EXAMPLES);
  if (!count) return [];
  // A network of its own: what the picture shows of a step that has paused must stay.
  const network = makeNetwork(spec, Float64Array.from(numbers)), share = KIT.isSum ? 1 : 1 / count;
  const seen = watched(network, count);
  let loss = 0;
  for (let k = 0; k < count; k += 1) {
    loss += share * network.backward(trainer.rowAt(examples, k), trainer.targetAt(examples, k), null, share);
    seen.add();
  }
  const moved = Float64Array.from(numbers);
  KIT.optimizers[optimizer].step(moved, network.gradients, states.map((state) => state.slice()), lr, steps);
  const what = nonFinite(network, trainer, count, share, seen.isFinite && Number.isFinite(loss), moved);
  if (what) return [problem("not finite", { what })];
  const layers = spec.layers.map((layer, l) => {
    const from = network.place(l, 0, 0), to = network.place(l, layer.width, 0), size = rms(numbers.subarray(from, to));
    const gradient = rms(network.gradients.subarray(from, to));
    const distance = rms(moved.subarray(from, to).map((x, i) => x - numbers[from + i]));
    const movement = size ? distance / size : distance > 0 ? Infinity : NaN;
    const strength = gradient && size ? gradient / size : 0;
    return { name: layerName(l), size, gradient, movement, strength, ...seen.layers[l] };
  });
  const found = problemsOf(spec, layers, count, loss, lr), isStill = isStraight(spec) && isStuck(trainer.history);
  return isStill && found.every(({ name }) => name === "vanishing gradients")
    ? [problem("straight", { epochs: STILL })]
    : found;
}

// Without activations between them, layers are as one.
const isStraight = ({ layers }) => (
  layers.length > 1 && layers.slice(0, -1).every(({ activation }) => activation === "linear")
);

// Whether the loss is no lower than so many epochs before, but for 1 %: the mean of each half is compared.
const STILL = 40;
function isStuck(history) {
  const losses = history.slice(-STILL).map(({ loss }) => loss);
  const sum = (some) => some.reduce((all, loss) => all + loss, 0);
  const [before, now] = [losses.slice(0, STILL / 2), losses.slice(STILL / 2)].map(sum);
  const { learned } = KIT_STEPPER.diagnosis;
  return losses.length === STILL && now > learned * STILL / 2 && now > 0.99 * before;
}

// What comes out of the layers, summed up: how large it is, which ReLU units were never above 0, how much is flat.
function watched({ spec, sums, outs, sumGradients, outGradients }, count) {
  const { slopes, flat } = KIT_STEPPER.diagnosis;
  const layers = spec.layers.map(({ width, activation }) => {
    const operation = KIT_STEPPER.activations[activation];
    const known = operation.length === 1 ? slopes[operation[0][0]] : undefined;
    const isReLU = operation.at(-1)?.[0] === "relu";
    return {
      known, units: isReLU ? width : 0, alive: new Uint8Array(isReLU ? width : 0),
      outputs: new Float64Array(width * count), flat: 0, at: 0, derivative: KIT.activations[activation].derivative,
    };
  });
  let odd = 0; // what is not finite makes it nan
  return {
    get isFinite() { return odd === 0; },
    add: () => layers.forEach((layer, l) => {
      const after = outs[l + 1], { known, derivative, alive } = layer;
      for (let j = 0; j < after.length; j += 1) {
        layer.outputs[layer.at++] = after[j];
        odd += 0 * after[j] + 0 * sums[l][j] + 0 * sumGradients[l][j] + 0 * outGradients[l + 1][j];
        if (known && Math.abs(derivative(after[j], sums[l][j])) < flat * known.steepest) layer.flat += 1;
        if (alive.length && after[j] !== 0) alive[j] = 1;
      }
    }),
    get layers() {
      return layers.map(({ known, units, alive, outputs, flat }) => ({
        units, dead: alive.filter((x) => !x).length, output: rms(outputs),
        saturated: known ? flat / outputs.length : null, squashing: !!known?.squashing,
      }));
    },
  };
}

const layerName = (l) => `layer ${l + 1}`;

function problemsOf(spec, layers, examples, loss, lr) {
  const {
    tooFar, growing, driven, dead: deadShare, enough, learned, vanishing, saturated, grows: growth,
  } = KIT_STEPPER.diagnosis;
  const found = [], sum = (key) => layers.reduce((all, layer) => all + layer[key], 0);
  const dropped = spec.layers.findIndex(({ dropout }) => dropout === 1), dead = sum("dead"), units = sum("units");
  if (dropped >= 0) found.push(problem("dropped", { module: `behind ${layerName(dropped)}` }));
  const isWhole = layers.some((layer) => layer.units && layer.dead === layer.units);
  if (examples >= enough && (isWhole || dead > deadShare * units)) {
    const { dead: most, name: layer } = largest(layers, (one) => one.dead);
    found.push(problem("dead", { dead, units, examples, most, layer }));
  }
  const [first] = layers, last = layers.at(-1);
  const isGrowing = last.output > growing * first.output && growing * first.output > 0;
  const grows = isGrowing
    ? worded(growth, { times: last.output / first.output, first: first.name, last: last.name })
    : "";
  const way = ({ size, movement }) => size && movement ? movement : 0, worst = largest(layers, way);
  const distance = (layer) => layer.size * way(layer), limit = tooFar[Number(isGrowing)];
  if (worst.size && worst.movement > limit) {
    found.push(
      problem(worst.strength * lr > limit ? "too far" : "too long", { grows, layer: worst.name, times: worst.movement })
    );
  }
  if (found.length) return found;
  const behind = largest(layers, ({ gradient }) => gradient);
  const hidden = layers.slice(0, -1).filter(({ squashing }) => squashing);
  const flat = hidden.length ? largest(hidden, (layer) => layer.saturated) : null;
  const share = first.gradient / behind.gradient;
  if (behind.gradient === 0) return loss === 0 ? [] : [problem("no gradient", {})];
  if (Math.abs(loss) < learned) return [];
  if (flat && flat.saturated > saturated) {
    const far = largest(layers, distance);
    return [
      problem(distance(far) > driven ? "driven flat" : "saturated", {
        percent: 100 * flat.saturated, layer: flat.name, size: flat.size, far: far.name, distance: distance(far),
      }),
    ];
  }
  if (!(first.gradient < vanishing * behind.gradient)) return [];
  return [problem(flat ? "squashed" : "small", { layer: first.name, share, behind: behind.name })];
}

// The first of those for which it is largest.
const largest = (layers, size) => layers.reduce((best, layer) => size(layer) > size(best) ? layer : best);

function rms(numbers) {
  let largest = 0, sum = 0;
  for (const x of numbers) largest = Math.max(largest, Math.abs(x));
  if (!(largest > 0 && largest < Infinity)) return largest;
  for (const x of numbers) sum += (x / largest) ** 2;
  return largest * Math.sqrt(sum / numbers.length);
}

// A sentence of Python's with its numbers: {name}, {times:.3g}, {percent:.0f}.
function worded(words, parts) {
  return words.replace(/\{(\w+)(?::\.(\d+)([gf]))?\}/g, (_, name, digits, kind) => {
    const x = parts[name];
    if (!kind) return x;
    const isMiddle = kind === "f" && Math.abs(x % 1) === 0.5; // which Python rounds to the even number
    return kind === "g" ? shown(x, Number(digits)) : isMiddle ? `${2 * Math.round(x / 2)}` : x.toFixed(digits);
  });
}

function problem(which, parts) {
  const [name, seen, remedy] = KIT_STEPPER.diagnosis.found[which];
  return { name, seen: worded(seen, parts), remedy };
}

// What made the first number that is inf or nan, in words; "" if all are finite.
function nonFinite(network, trainer, count, share, isSound, moved) {
  const { first, few } = KIT_STEPPER.diagnosis, { numbers, gradients } = network, say = (x) => shown(x, 17);
  const isBad = (x) => !Number.isFinite(x);
  const said = (which, place, number) => worded(
    first[which], { name: nameOfParameter(network, place), number: say(number) }
  );
  const before = numbers.findIndex(isBad);
  if (before >= 0) return said("before", before, numbers[before]);
  if (!isSound || gradients.some(isBad)) return inGraphs();
  const after = moved.findIndex(isBad);
  return after < 0 ? "" : said("update", after, moved[after]);

  function call({ operation }, operands) {
    if (operands.length > few) {
      return worded(first.many, { operation, count: operands.length, largest: Math.max(...operands.map(Math.abs)) });
    }
    return worded(first.few, { operation, numbers: operands.map((x) => shown(x, 4)).join(", ") });
  }
  // Node by node: forward through all examples, then backward from the last one to the first.
  function inGraphs() {
    const graphs = [];
    for (let k = 0; k < count; k += 1) {
      const graph = lossGraph(network, trainer.rowAt(trainer.examples, k), trainer.targetAt(trainer.examples, k), []);
      if (!graph) return "a number of this loss";
      const order = topologicalOrder(graph.root);
      const where = ({ layer }) => layer === undefined ? "the loss" : layerName(layer);
      for (const node of order) if (node.operation === "dot") dotOf(node.operands.length);
      const { values, locals } = evaluated(order);
      const operands = (node) => node.operands.map((x) => isNode(x) ? values.get(x) : x.number);
      const bad = order.find((node) => isBad(values.get(node)));
      if (bad) {
        return worded(
          first.forward, { call: call(bad, operands(bad)), number: say(values.get(bad)), place: where(bad) }
        );
      }
      graphs.push({ order, where, locals, operands });
    }
    for (const { order, where, locals, operands } of graphs.reverse()) {
      const sums = new Map(order.map((node) => [node, 0]));
      sums.set(order.at(-1), share);
      for (let i = order.length - 1; i >= 0; i -= 1) {
        const node = order[i];
        if (isBad(sums.get(node))) return passed(node, sums.get(node));
        node.operands.forEach(
          (x, slot) => isNode(x) && sums.set(x, sums.get(x) + contribution(sums.get(node), locals[i][slot]))
        );
      }
      function passed(node, gradient) {
        const users = order.filter(({ operands }) => operands.includes(node));
        for (const user of users) {
          const derivative = user.operands.map(
            (x, slot) => x === node ? locals[order.indexOf(user)][slot] : 0
          ).find(isBad);
          if (isBad(derivative ?? 0)) {
            return worded(
              first.derivative, { call: call(user, operands(user)), number: say(derivative), place: where(user) }
            );
          }
        }
        const user = largest(users, (one) => Math.abs(sums.get(one)));
        return worded(first.backward, { number: say(gradient), call: call(user, operands(user)), place: where(user) });
      }
    }
    return said("update", gradients.findIndex(isBad), gradients.find(isBad));
  }
}

function nameOfParameter({ place, sizes }, index) {
  let layer = sizes.length - 2;
  while (place(layer, 0, 0) > index) layer -= 1;
  const count = sizes[layer] + 1, at = index - place(layer, 0, 0), unit = Math.floor(at / count), input = at % count;
  return `${input < count - 1 ? `weight ${input + 1}` : "the bias"} of neuron ${unit + 1} of ${layerName(layer)}`;
}

