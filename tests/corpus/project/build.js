// A build as they are: a bar that is drawn over itself, colours, warnings on stderr; it fails unless it serves.
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

async function main() {
  for (let step = 1; step <= 5; step++) {
    process.stdout.write(`\r\x1b[K[${"#".repeat(step)}${" ".repeat(5 - step)}] module ${step}/5`);
    await rest(60);
  }
  process.stdout.write("\r\x1b[K");
  console.error("\x1b[33mWARNING\x1b[39m in ./src/login.js: ERROR handler is empty");
  if (process.argv.includes("--serve")) {
    process.stdout.write("ready on port ");
    await rest(700);
    process.stdout.write("3000\n");
    console.log("GET /ERROR 200\nGET /missing 404");
    return;
  }
  console.error("\x1b[1m\x1b[31mERROR\x1b[39m\x1b[22m in ./src/app.js 3:1");
  console.error("Module not found: Error: Can't resolve './FAILED'");
  console.log("webpack compiled with \x1b[31m1 error\x1b[39m");
  process.exitCode = 1;
}

main();
