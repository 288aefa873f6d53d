// What does a network answer, and what is its gradient? Layers of neurons, with the table's own activations and losses.

// The factors of a contribution: one that is exactly 0 gives 0, whatever the other is.
const contribution = (x, y) => (x === 0 || y === 0 ? 0 : x * y);

// spec: { inputs, scale: null or { means, deviations }, layers: [{ width, activation, dropout }, ...] }.
// numbers: a Float64Array of all parameters, layer by layer, neuron by neuron, its weights and then its bias.
function makeNetwork(spec, numbers, kit = KIT) {
  const { inputs, scale, layers } = spec, sizes = [inputs, ...layers.map((layer) => layer.width)], last = layers.length;
  const starts = [0];
  layers.forEach((layer, l) => starts.push(starts[l] + layer.width * (sizes[l] + 1)));
  const functions = layers.map((layer) => kit.activations[layer.activation]);
  const rowsOf = (from) => sizes.slice(from).map((size) => new Float64Array(size));
  const outs = rowsOf(0), outGradients = rowsOf(0), sums = rowsOf(1), sumGradients = rowsOf(1);
  const gradients = new Float64Array(numbers.length);
  const place = (layer, unit, input) => starts[layer] + unit * (sizes[layer] + 1) + input;

  // The outputs of all layers for one example. masks: for each layer null, or what each of its outputs is multiplied
  // by.
  function forward(row, masks) {
    for (let i = 0; i < inputs; i += 1) outs[0][i] = scale ? (row[i] - scale.means[i]) / scale.deviations[i] : row[i];
    for (let l = 0; l < last; l += 1) {
      const before = outs[l], after = outs[l + 1], width = sizes[l + 1], count = sizes[l], { value } = functions[l];
      const mask = masks && masks[l];
      for (let j = 0, at = starts[l]; j < width; j += 1) {
        let sum = 0;
        for (let i = 0; i < count; i += 1) sum += numbers[at++] * before[i];
        sums[l][j] = sum += numbers[at++];
        const out = value(sum);
        after[j] = mask ? (mask[j] === 0 ? 0 : out * mask[j]) : out;
      }
    }
    return outs[last];
  }

  // Adds the gradient of the example's loss, times `share`, to the gradients; returns the loss.
  function backward(row, target, masks = null, share = 1) {
    const outputs = forward(row, masks), loss = kit.loss(outputs, target, outGradients[last]);
    if (share !== 1) for (let j = 0; j < outputs.length; j += 1) outGradients[last][j] *= share;
    for (let l = last - 1; l >= 0; l -= 1) {
      const before = outs[l], after = outs[l + 1], width = sizes[l + 1], count = sizes[l];
      const { derivative } = functions[l];
      const mask = masks && masks[l], passed = outGradients[l].fill(0);
      for (let j = 0, at = starts[l]; j < width; j += 1) {
        const kept = mask ? mask[j] : 1, out = mask ? functions[l].value(sums[l][j]) : after[j];
        const upstream = contribution(outGradients[l + 1][j], kept);
        const gradient = sumGradients[l][j] = upstream === 0 ? 0 : contribution(upstream, derivative(out, sums[l][j]));
        if (gradient === 0) {
          at += count + 1;
          continue;
        }
        for (let i = 0; i < count; i += 1, at += 1) {
          gradients[at] += contribution(gradient, before[i]);
          passed[i] += contribution(gradient, numbers[at]);
        }
        gradients[at++] += gradient;
      }
    }
    if (scale) for (let i = 0; i < inputs; i += 1) outGradients[0][i] /= scale.deviations[i];
    return loss;
  }

  // What every unit says of `count` points: for each layer an array, unit after unit, point after point.
  function responses(points, count) {
    let before = new Float64Array(inputs * count);
    for (let p = 0; p < count; p += 1) {
      for (let i = 0; i < inputs; i += 1) {
        const x = points[p * inputs + i];
        before[i * count + p] = scale ? (x - scale.means[i]) / scale.deviations[i] : x;
      }
    }
    return layers.map((layer, l) => {
      const after = new Float64Array(layer.width * count), size = sizes[l], { value } = functions[l];
      for (let j = 0, at = starts[l]; j < layer.width; j += 1, at += size + 1) {
        const from = j * count, bias = numbers[at + size];
        for (let i = 0; i < size; i += 1) {
          const weight = numbers[at + i], other = i * count;
          for (let p = 0; p < count; p += 1) after[from + p] += weight * before[other + p];
        }
        for (let p = 0; p < count; p += 1) after[from + p] = value(after[from + p] + bias);
      }
      return before = after;
    });
  }

  return {
    spec, sizes, numbers, gradients, place, sums, outs, sumGradients, outGradients, forward, backward, responses,
    units: (row) => {
      forward(row, null);
      return outs.map((row) => row.slice());
    },
    outputs: (row) => forward(row, null).slice(),
  };
}

// How many parameters a network has.
const countOf = ({ inputs, layers }) => layers.reduce(
  ([sum, before], { width }) => [sum + width * (before + 1), width], [0, inputs]
)[0];

// A new network, whose weights Python's generator draws as `nn.MLP(..., rng=seed)` does; and a generator for the
// dropout of each hidden layer.
function drawNetwork(spec, seed, kit = KIT) {
  const random = makeRandom(seed), numbers = [];
  let before = spec.inputs;
  for (const { width, activation } of spec.layers) {
    const draw = kit.initialisers[kit.initialiserOf(activation)];
    for (let j = 0; j < width; j += 1) {
      for (let i = 0; i < before; i += 1) numbers.push(draw(before, width, random));
      numbers.push(0);
    }
    before = width;
  }
  const dropouts = spec.layers.map(({ dropout }) => (dropout ? makeRandom(random.getrandbits(64)) : null));
  return { network: makeNetwork(spec, Float64Array.from(numbers), kit), dropouts };
}
