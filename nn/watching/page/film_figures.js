// What happened inside at every moment? Losses, gradients, activations and weights, computed from the recorded numbers.

// Milliseconds of computing before the page may do something else; and the products that all moments may take together.
const SLICE = 8, PRODUCTS = 1e8, FEWEST_EXAMPLES = 20;

// Numbers of single precision: `packing.py` wrote first byte by byte; and if they are of moments, what has changed.
function unpacked(text, count = 0) {
  const letters = atob(text), bytes = new Uint8Array(letters.length), total = bytes.length / 4;
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = letters.charCodeAt(i); // a third of the time of Uint8Array.from
  const words = new Uint32Array(total);
  for (let i = 0; i < total; i += 1) {
    words[i] = bytes[i] | bytes[total + i] << 8 | bytes[2 * total + i] << 16 | bytes[3 * total + i] << 24;
  }
  if (count) for (let i = count; i < total; i += 1) words[i] ^= words[i - count];
  return new Float32Array(words.buffer);
}

// 0 to count - 1: the last, the first, and then ever closer together, so that a curve is whole from the beginning.
function coarseFirst(count) {
  const order = new Set(count ? [count - 1, 0] : []);
  for (let step = 2 ** Math.ceil(Math.log2(Math.max(1, count))); step >= 1; step /= 2) {
    for (let k = 0; k < count; k += step) order.add(k);
  }
  return [...order];
}

// Examples as arrays: rows one after the other, and a target, or a row of targets, for each.
function examplesOf(rows, targets) {
  const isWide = Array.isArray(targets[0]);
  return {
    rows: Float64Array.from(rows.flat(), fromJSON), targets: Float64Array.from(targets.flat(), fromJSON),
    count: rows.length, isWide,
  };
}

// The slope of an activation where it is steepest.
function steepest({ value, derivative }) {
  let most = 0;
  for (let x = -8; x <= 8; x += 0.125) most = Math.max(most, Math.abs(derivative(value(x), x)) || 0);
  return most;
}

const someOf = (examples, most) => ({ ...examples, count: Math.min(examples.count, most) });

// The mean loss of examples and the share of right answers, and with `inside` what goes on in each layer. The gradient
// of the mean loss is left in the network. A generator: whoever runs it may stop after any example.
function* figuresOf(network, kit, examples, inside) {
  const { sizes } = network, inputs = sizes[0], width = sizes.at(-1), { count } = examples, { flat } = inside ?? {};
  const { isWide } = examples, scratch = new Float64Array(width);
  let loss = 0, right = 0;
  network.gradients.fill(0);
  const size = inside?.slopes.map(() => 0), flats = inside?.slopes.map(() => 0);
  for (let k = 0; k < count; k += 1) {
    const row = examples.rows.subarray(k * inputs, (k + 1) * inputs);
    const target = isWide ? examples.targets.subarray(k * width, (k + 1) * width) : examples.targets[k];
    if (inside) loss += network.backward(row, target, null, kit.isSum ? 1 : 1 / count);
    else loss += kit.loss(network.forward(row, null), target, scratch);
    right += kit.isRight(network.outs.at(-1), target) ?? NaN;
    inside?.slopes.forEach((steep, l) => {
      const outs = network.outs[l + 1], sums = network.sums[l], { derivative } = inside.functions[l];
      for (let j = 0; j < outs.length; j += 1) {
        size[l] += Math.abs(outs[j]);
        if (steep && Math.abs(derivative(outs[j], sums[j])) < flat * steep) flats[l] += 1;
      }
    });
    yield;
  }
  const each = (sums) => sums?.map((sum, l) => sum / (count * sizes[l + 1]));
  return { loss: loss / count, accuracy: right / count, size: each(size), flat: each(flats) };
}

// The Euclidean norm of the numbers of each layer.
function norms(network, numbers) {
  const { sizes, place } = network;
  return sizes.slice(1).map((width, l) => {
    let sum = 0;
    for (let i = place(l, 0, 0), end = i + width * (sizes[l] + 1); i < end; i += 1) sum += numbers[i] ** 2;
    return Math.sqrt(sum);
  });
}

// Computes the figures of all moments in slices, a few at first; calls changed() now and then.
function makeFigures(page, changed) {
  const { model, kit, moments, examples, testExamples } = page, { spec } = model, length = moments.length;
  const layers = spec.layers.length, blank = () => new Float64Array(length).fill(NaN);
  const each = () => Array.from({ length: layers }, blank);
  const figures = {
    loss: blank(), accuracy: blank(), testLoss: blank(), testAccuracy: blank(), gradient: each(), size: each(),
    flat: each(), weights: each(), known: new Uint8Array(length), done: 0, wanted: null,
  };
  const network = makeNetwork(spec, Float64Array.from(moments.numbersAt(0)), kit), count = network.numbers.length;
  const functions = spec.layers.map(({ activation }) => kit.activations[activation]);
  const slopes = spec.layers.map(({ activation }, l) => (activation === "linear" ? 0 : steepest(functions[l])));
  const most = Math.max(FEWEST_EXAMPLES, Math.floor(PRODUCTS / (length * count)));
  const [train, test] = [examples, testExamples].map((set) => someOf(set, most));
  const inside = { functions, slopes, flat: model.flat };
  figures.isFlat = slopes.map((slope) => slope > 0);
  figures.examples = train.count;
  const rest = coarseFirst(length);

  function next() {
    const { wanted } = figures;
    figures.wanted = null;
    if (wanted !== null && !figures.known[wanted]) return wanted;
    while (rest.length && figures.known[rest[0]]) rest.shift();
    return rest.shift();
  }

  function* work() {
    for (let k = next(); k !== undefined; k = next()) {
      network.numbers.set(moments.numbersAt(k).subarray(0, count));
      const found = yield* figuresOf(network, kit, train, inside);
      norms(network, network.gradients).forEach((norm, l) => { figures.gradient[l][k] = norm; });
      norms(network, network.numbers).forEach((norm, l) => { figures.weights[l][k] = norm; });
      found.size.forEach((size, l) => { figures.size[l][k] = size; });
      found.flat.forEach((share, l) => { figures.flat[l][k] = slopes[l] ? share : NaN; });
      [figures.loss[k], figures.accuracy[k]] = [found.loss, found.accuracy];
      if (test.count) {
        const seen = yield* figuresOf(network, kit, test, null);
        [figures.testLoss[k], figures.testAccuracy[k]] = [seen.loss, seen.accuracy];
      }
      figures.known[k] = 1;
      figures.done += 1;
    }
  }

  const job = work();
  let shown = 0;
  function slice() {
    if (!page.host.isConnected) return setTimeout(slice, 500); // a notebook took the output away for now
    const end = performance.now() + SLICE;
    let isOver = false;
    do isOver = job.next().done; while (!isOver && performance.now() < end);
    if (isOver || performance.now() > shown + 150) {
      shown = performance.now();
      changed();
    }
    if (!isOver) setTimeout(slice, 0);
    return undefined;
  }
  if (length) setTimeout(slice, 0);
  return figures;
}
