// How does the page train? Exactly as `nn.fit` with the same seed: the same order of the examples, the same steps.

const PHASES = ["ready", "forward", "loss", "backward"];

// examples: { rows: Float64Array, targets: Float64Array, count }. dropouts: a generator, or null, for each layer.
function makeTrainer({ network, dropouts = [], examples, optimizer, lr, batchSize, seed }, kit = KIT) {
  const { sizes, spec } = network, { inputs } = spec, outputs = sizes.at(-1), random = makeRandom(seed);
  const method = kit.optimizers[optimizer];
  const states = method.states.map((start) => new Float64Array(network.numbers.length).fill(start));
  const order = Int32Array.from({ length: examples.count }, (_, k) => k);
  const wide = examples.targets.length > examples.count;
  const masks = spec.layers.some((layer) => layer.dropout)
    ? spec.layers.map(({ dropout, width }) => dropout ? new Float64Array(width) : null)
    : null;
  const rowAt = (data, k) => data.rows.subarray(k * inputs, (k + 1) * inputs);
  const targetAt = (data, k) => wide ? data.targets.subarray(k * outputs, (k + 1) * outputs) : data.targets[k];
  let total = 0, seen = 0, drawn = [];

  // The masks of a batch, layer by layer, example by example, unit by unit.
  function drawMasks(count) {
    drawn = spec.layers.map(({ dropout, width }, l) => {
      if (!dropout) return null;
      const scale = dropout < 1 ? 1 / (1 - dropout) : 0;
      return Float64Array.from({ length: width * count }, () => dropouts[l].random() >= dropout ? scale : 0);
    });
  }
  function masksOf(k) {
    if (!masks) return null;
    spec.layers.forEach(({ width }, l) => drawn[l] && masks[l].set(drawn[l].subarray(k * width, (k + 1) * width)));
    return masks;
  }

  // What dropout does to this example within the step: its masks, or null if it does nothing or the batch is without
  // it.
  function masksFor(k) {
    const b = trainer.batch.indexOf(k);
    return trainer.phase === "ready" || b < 0 ? null : masksOf(b);
  }

  const trainer = {
    network, examples, optimizer, lr, batchSize, steps: 0, phase: "ready", batch: order.slice(0, batchSize),
    batchLoss: NaN, history: [], states,
    get epochs() { return trainer.steps / trainer.stepsPerEpoch; },
    get stepsPerEpoch() { return Math.ceil(examples.count / batchSize); },
    rowAt, targetAt, masksFor,
    // The next phase of the step: forward, loss, backward; then the update, after which the next step is ready.
    advance() {
      const next = PHASES[PHASES.indexOf(trainer.phase) + 1];
      if (trainer.phase === "ready") begin();
      else if (trainer.phase === "backward") update();
      if (next) trainer.phase = next;
      return trainer.phase;
    },
    step() {
      if (trainer.phase === "ready") begin();
      update();
    },
    epoch() {
      do trainer.step(); while (trainer.steps % trainer.stepsPerEpoch);
    },
    // The mean loss of some examples, and the share of right answers where they are classes.
    evaluate(data) {
      let sum = 0, right = 0;
      for (let k = 0; k < data.count; k += 1) {
        const answer = network.forward(rowAt(data, k), null), target = targetAt(data, k);
        sum += kit.loss(answer, target, scratch);
        right += kit.isRight(answer, target);
      }
      return {
        loss: sum / data.count, accuracy: kit.isRight(network.outs.at(-1), 0) === null ? null : right / data.count,
      };
    },
  };
  const scratch = new Float64Array(outputs);

  // Forward, loss and backward of the next batch; its gradient is the mean over its examples.
  function begin() {
    const place = trainer.steps % trainer.stepsPerEpoch;
    if (!place) random.shuffle(order);
    const batch = trainer.batch = order.subarray(place * batchSize, (place + 1) * batchSize);
    const share = kit.isSum ? 1 : 1 / batch.length;
    if (masks) drawMasks(batch.length);
    network.gradients.fill(0);
    let loss = 0;
    batch.forEach(
      (k, b) => { loss += network.backward(rowAt(examples, k), targetAt(examples, k), masksOf(b), share); }
    );
    trainer.batchLoss = loss * share;
    total += kit.isSum ? loss * batch.length : loss;
    seen += batch.length;
  }

  function update() {
    method.step(network.numbers, network.gradients, states, trainer.lr, trainer.steps);
    trainer.steps += 1;
    trainer.phase = "ready";
    if (trainer.steps % trainer.stepsPerEpoch) return;
    trainer.history.push({ steps: trainer.steps, loss: total / seen });
    total = seen = 0;
  }
  return trainer;
}
