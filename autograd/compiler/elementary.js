// The functions of rules that JavaScript lacks, or has with other answers than Python. Each stands alone between empty
// lines; a page gets those that its rules use. Names in capitals are in coefficients.py.

// C's: 1 to any power is 1, and so is -1 to an infinite one.
const pow = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);

const exp2 = (x) => 2 ** x;

// Python's x // y and x % y, where the rest has the sign of y; x / 0 and nan for a y of 0.
const remainder = (x, y) => {
  const rest = x % y;
  return rest === 0 ? withSign(0, y) : rest < 0 === y < 0 ? rest : rest + y;
};

const floorDivide = (x, y) => {
  if (y === 0) return x / y;
  const rest = x % y;
  const quotient = (x - rest) / y - (rest !== 0 && rest < 0 !== y < 0 ? 1 : 0);
  if (quotient === 0) return withSign(0, x / y);
  const below = Math.floor(quotient);
  return quotient - below > 0.5 ? below + 1 : below;
};

const withSign = (x, y) => (y < 0 || Object.is(y, -0) ? -x : x);

// The nearest whole number, of two the even one: there is no bit for halves between 2**52 and 2**53.
const round = (x) => (Math.abs(x) < 2 ** 52 ? withSign(Math.abs(x) + 2 ** 52 - 2 ** 52, x) : x);

// The sum, rounded once, as Python's math.fsum: all bits are added, as one whole number of times 2**-1074.
const sum = (numbers) => {
  const infinite = numbers.filter((x) => !Number.isFinite(x));
  if (infinite.length) return infinite.reduce((x, y) => x + y);
  let total = 0n;
  for (const x of numbers) {
    const bits = BigInt.asIntN(64, new BigInt64Array(new Float64Array([Math.abs(x)]).buffer)[0]);
    const exponent = bits >> 52n;
    const size = exponent ? (bits - ((exponent - 1n) << 52n)) << (exponent - 1n) : bits;
    total += x < 0 ? -size : size;
  }
  const size = total < 0n ? -total : total;
  const lost = BigInt(Math.max(0, 4 * size.toString(16).length - 64));
  const kept = size >> lost;
  // The last bit says whether there were others below, so that a half is rounded rightly.
  const result = Number(kept << lost === size ? kept : kept | 1n) * Number.MIN_VALUE;
  return timesPowerOf2(total < 0n ? -result : result, Number(lost));
};

const timesPowerOf2 = (x, n) => x * 2 ** Math.trunc(n / 2) * 2 ** (n - Math.trunc(n / 2));

// The square root of the sum of squares. The squares and their sum have twice the digits.
const norm = (numbers) => {
  const largest = numbers.reduce((most, x) => (Math.abs(x) > most ? Math.abs(x) : most), 0);
  if (largest === Infinity || numbers.some((x) => x !== x)) return largest === Infinity ? largest : NaN;
  if (largest === 0) return 0;
  const scale = largest > 2 ** 500 ? 2 ** -600 : largest < 2 ** -400 ? 2 ** 600 : 1;
  let high = 0, low = 0;
  for (const x of numbers) {
    const [square, rest] = squareOf(x * scale);
    const total = high + square, virtual = total - high;
    low += high - (total - virtual) + (square - virtual) + rest;
    high = total;
  }
  const root = Math.sqrt(high + low), [square, rest] = squareOf(root);
  return (root + (high - square - rest + low) / (2 * root)) / scale;
};

// The square of a number as two numbers, exactly.
const squareOf = (x) => {
  const head = 134217729 * x - (134217729 * x - x), tail = x - head, square = x * x;
  return [square, head * head - square + 2 * head * tail + tail * tail];
};

// The weighted sum: n weights, n inputs and, if their number is odd, the bias.
const dot = (numbers) => {
  const n = numbers.length >> 1;
  let total = numbers.length % 2 ? numbers[2 * n] : 0;
  for (let k = 0; k < n; k++) total += numbers[k] * numbers[n + k];
  return total;
};

// The same where Python's sum keeps what is lost in each step (Neumaier, 1974), as it does from 3.12 on.
const compensatedDot = (numbers) => {
  const n = numbers.length >> 1;
  let total = numbers.length % 2 ? numbers[2 * n] : 0, lost = 0;
  for (let k = 0; k < n; k++) {
    const x = numbers[k] * numbers[n + k], next = total + x;
    lost += Math.abs(total) >= Math.abs(x) ? total - next + x : x - next + total;
    total = next;
  }
  return lost && Number.isFinite(lost) ? total + lost : total;
};

const dotDerivatives = (numbers) => {
  const n = numbers.length >> 1;
  return [...numbers.slice(n, 2 * n), ...numbers.slice(0, n), ...(numbers.length % 2 ? [1] : [])];
};

// The row with another number at a place, which is counted from the end if negative.
const put = (row, place, number) => row.map((x, j) => (j === (place < 0 ? place + row.length : place) ? number : x));

// The states before each place of a row, as Python's itertools.accumulate has them.
const statesBefore = (next, start, row) => {
  let state = start;
  return row.map((x) => {
    const before = state;
    state = next(state, x);
    return before;
  });
};

const polynomial = (x, coefficients) => coefficients.reduce((sum, coefficient) => sum * x + coefficient);

// erfc from 3/4 to 28. The square of x is computed in two parts, the first of which is exact.
const erfcBeyond = (x) => {
  const head = Math.fround(x), large = -head * head, small = (x - head) * (x + head);
  const n = Math.round(large * PER_LOG2), first = large - n * LOG2_HIGH, second = n * LOG2_LOW + small;
  const r = first - second, rest = first - r - second;
  const t = (x - 4) / (x + 4), slope = t * polynomial(t, ERFC.slice(0, -1));
  const above = ERFC[19] + slope, below = 1 + 2 * x, quotient = above / below;
  // What the roundings of both change; for 1 / below, quotient * 0.9 is near enough.
  const lost = ERFC[19] - above + slope - quotient * (2 * x - below + 1);
  const tail = r + (r * r * polynomial(r, SQUARE) + rest);
  return timesPowerOf2(quotient + (quotient * tail + lost * quotient * 0.9), n);
};

const erf = (x) => {
  const size = Math.abs(x);
  if (!(size >= 0.75)) return x + x * polynomial(x * x, ERF);
  return withSign(1 - erfcBeyond(Math.min(size, 28)), x);
};

const erfc = (x) => {
  const size = Math.abs(x);
  if (!(size >= 0.75)) return 1 - x - x * polynomial(x * x, ERF);
  const far = erfcBeyond(Math.min(size, 28));
  return x < 0 ? 2 - far : far;
};
