// A Pyodide that runs what it is told: one line of JSON in, one line of JSON out.
//
// The first line says where everything is: { core, packages, wheels, files, viz }. Each line after it is Python code;
// the answer is { output, failed } with all that it printed, and the traceback if it raised.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const answer = (what) => process.stdout.write(JSON.stringify(what) + "\n");
process.on("uncaughtException", (error) => {
  const test = globalThis.lastTest ?? "";
  answer({ output: `${test}\n${String(error.stack ?? error).slice(-4000)}`, failed: true }); // not the minified source
  process.exitCode = 1;
  process.stdin.destroy();
});
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = JSON.parse((await lines.next()).value);
const bytesOf = (file) => new Uint8Array(readFileSync(file));

let output = "";
const { loadPyodide } = await import(pathToFileURL(told.core + "/pyodide.mjs").href);
const pyodide = await loadPyodide({
  indexURL: told.core + "/",
  env: told.environment,
});
const decoder = new TextDecoder();
const keep = { write: (bytes) => ((output += decoder.decode(bytes, { stream: true })), bytes.length) };
pyodide.setStdout(keep);
pyodide.setStderr(keep);
await pyodide.loadPackage(told.packages, { messageCallback: () => {} });
const extractDir = pyodide.runPython("import sysconfig; sysconfig.get_path('purelib')");
for (const wheel of told.wheels) pyodide.unpackArchive(bytesOf(wheel), "wheel", { extractDir });
pyodide.unpackArchive(bytesOf(told.files), "zip", { extractDir: "/home/pyodide" });
if (told.viz) globalThis.viz = await createRequire(import.meta.url)(told.viz).instance();
answer({ output, failed: false });

for await (const line of lines) {
  output = "";
  let failed = false;
  try {
    await pyodide.runPythonAsync(JSON.parse(line), { globals: pyodide.toPy({ __name__: "__main__" }) });
    pyodide.runPython("import sys; sys.stdout.flush(); sys.stderr.flush()");
  } catch (error) {
    failed = true;
    output += `${globalThis.lastTest ?? ""}\n${error.type ? error.message : error.stack ?? error}`; // Python's error, or JavaScript's
  }
  answer({ output, failed });
}
