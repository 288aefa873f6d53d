// How is a number written, and which number did somebody type?

// Exactly what Python's f"{x:.{precision}g}" gives.
function shown(x, precision) {
  if (!Number.isFinite(x)) return x > 0 ? "inf" : x < 0 ? "-inf" : "nan";
  const [mantissa, power] = roundedHalfToEven(Math.abs(x), precision - 1).split("e");
  const exponent = Number(power), digits = mantissa.replace(".", "").replace(/(?!^)0+$/, "");
  return (x < 0 || Object.is(x, -0) ? "-" : "") + placed(digits, exponent, precision);
}

// JavaScript rounds a number that lies exactly in the middle away from zero; Python rounds it to the even digit.
function roundedHalfToEven(x, places) {
  const text = x.toExponential(places);
  if (!x.toExponential(places + 1).includes("5e")) return text;
  // No double comes closer to such a middle than 60 digits can tell, unless it is the middle.
  const [digits, power] = x.toExponential(places + 60).replace(".", "").split("e");
  const isMiddle = /^50*$/.test(digits.slice(places + 1)), isEven = "02468".includes(digits[places]);
  return isMiddle && isEven ? `${digits[0]}.${digits.slice(1, places + 1)}e${power}` : text;
}

// The digits with their point, or with an exponent where the number is very small or has more places than digits.
function placed(digits, exponent, precision) {
  if (exponent < -4 || exponent >= precision) {
    const sign = exponent < 0 ? "-" : "+", power = String(Math.abs(exponent)).padStart(2, "0");
    return `${digits[0]}${digits.length > 1 ? "." : ""}${digits.slice(1)}e${sign}${power}`;
  }
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0"), rest = digits.slice(exponent + 1);
  return rest ? `${whole}.${rest}` : whole;
}

// A text of words and codes by turns, with show(code) for each code. After "(" a number with a minus gets parentheses.
function filled(text, show) {
  return text.map((part, i) => {
    if (i % 2 === 0) return part;
    const inner = part.startsWith("("), number = show(inner ? part.slice(1) : part);
    return inner && number.startsWith("-") ? `(${number})` : number;
  }).join("");
}

// A number of the model: JSON has no nan and no infinities, so they are words there.
function fromJSON(x) {
  return typeof x === "string" ? Number(x.replace("inf", "Infinity")) : x;
}

const TOKENS = /(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[a-z]+|\*\*|\S/g;
const WORDS = { nan: NaN, inf: Infinity, infinity: Infinity };

// The number that a text stands for, with + - * / ** and parentheses as in Python; undefined if it is none.
function parsed(text) {
  if (text.length > 200) return undefined;
  const tokens = text.toLowerCase().replace(/\u2212/g, "-").match(TOKENS) || [];
  let at = 0;
  const found = (...signs) => signs.includes(tokens[at]) && tokens[at++];
  function sum() {
    let x = product();
    for (let sign; (sign = found("+", "-"));) x = sign === "+" ? x + product() : x - product();
    return x;
  }
  function product() {
    let x = signed();
    for (let sign; (sign = found("*", "/"));) x = sign === "*" ? x * signed() : x / signed();
    return x;
  }
  function signed() {
    const sign = found("-", "+");
    if (sign) return sign === "-" ? -signed() : signed();
    const base = atom();
    return found("**") ? base ** signed() : base;
  }
  function atom() {
    if (found("(")) {
      const x = sum();
      if (found(")")) return x;
    }
    const token = tokens[at++];
    if (/^[.\d]*\d/.test(token)) return Number(token);
    if (Object.hasOwn(WORDS, token)) return WORDS[token];
    throw new SyntaxError();
  }
  try {
    const x = sum();
    return at === tokens.length ? x : undefined;
  } catch {
    return undefined;
  }
}

const hasComma = (text) => /\d,\d/.test(text);

function refusal(text, such = "-0.5, 1e-3, -3*2/7, inf or nan") {
  return `this is no number: ${JSON.stringify(text.slice(0, 40))}; type ${hasComma(text) ? "it with a decimal point, as in 1.5" : `one such as ${such}`}`;
}
