// Python's generator of random numbers: the same seed gives the same numbers as random.Random(seed).

// The Mersenne Twister (Matsumoto and Nishimura, 1998). The seed is a whole number of at least 0, or a BigInt.
function makeRandom(seed) {
  const state = new Uint32Array(624);
  let place = 624, spare = null;
  const fill = (x) => {
    state[0] = x;
    for (let i = 1; i < 624; i += 1) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  };
  const key = [];
  for (let rest = BigInt(seed); rest || !key.length; rest >>= 32n) key.push(Number(rest & 0xffffffffn));
  fill(19650218);
  let i = 1, j = 0;
  const mixed = (factor) => state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), factor);
  const turn = () => {
    if ((i += 1) < 624) return;
    state[0] = state[623];
    i = 1;
  };
  for (let k = Math.max(624, key.length); k; k -= 1) {
    state[i] = mixed(1664525) + key[j] + j;
    turn();
    j = (j + 1) % key.length;
  }
  for (let k = 623; k; k -= 1) {
    state[i] = mixed(1566083941) - i;
    turn();
  }
  state[0] = 0x80000000;

  function word() {
    if (place === 624) {
      for (let k = 0; k < 624; k += 1) {
        const y = (state[k] & 0x80000000) | (state[(k + 1) % 624] & 0x7fffffff);
        state[k] = state[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      place = 0;
    }
    let y = state[place++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  const random = () => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992;
  // A whole number below n, of at most 32 bits.
  function below(n) {
    const bits = 32 - Math.clz32(n);
    let x;
    do x = word() >>> (32 - bits); while (x >= n);
    return x;
  }
  return {
    random,
    uniform: (a, b) => a + (b - a) * random(),
    // Two numbers at a time, as in Python: the second waits.
    gauss(mu, sigma) {
      let z = spare;
      spare = null;
      if (z === null) {
        const angle = 2 * Math.PI * random(), length = Math.sqrt(-2 * Math.log(1 - random()));
        z = Math.cos(angle) * length;
        spare = Math.sin(angle) * length;
      }
      return mu + z * sigma;
    },
    shuffle(list) {
      for (let k = list.length - 1; k > 0; k -= 1) {
        const other = below(k + 1);
        [list[k], list[other]] = [list[other], list[k]];
      }
    },
    // A BigInt of so many bits.
    getrandbits(count) {
      let x = 0n;
      for (let done = 0; done < count; done += 32) {
        x |= BigInt(count - done < 32 ? word() >>> (32 - count + done) : word()) << BigInt(done);
      }
      return x;
    },
  };
}
