#!/usr/bin/env node
/**
 * The `realms` command. Plain JavaScript that any Node.js from version 20 on can run: it finds the Node.js 26 that
 * `npm ci` brought and hands itself over to the built command line there, with the same arguments, standard streams,
 * signals and exit status.
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"

const REQUIRED_NODE_MAJOR = 26
const PARENT_CHECK_MS = 200

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url))
const bundledNode = fileURLToPath(
  new URL(`../../node_modules/node/bin/node${process.platform === "win32" ? ".exe" : ""}`, import.meta.url)
)

/** The Node.js to run on: the one we are on when it is new enough (as in an image without the `node` package). */
const findNode = () => {
  if (existsSync(bundledNode)) return bundledNode
  if (Number.parseInt(process.versions.node, 10) >= REQUIRED_NODE_MAJOR) return process.execPath
  return undefined
}

const refuse = (message) => {
  process.stderr.write(`realms: ${message}\n`)
  process.exitCode = 1
}

/**
 * npx runs us below a shell, and forwards SIGTERM to that shell only, which dies of it and leaves us behind: a server
 * that nobody stops. Our parent having changed is the only sign of it.
 */
const onOrphaned = (stop) => {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    stop()
  }, PARENT_CHECK_MS)
}

/** Runs the command as a child that gets every signal once, and ends as it ends. */
const runChild = (node, args) => {
  const child = spawn(node, args, { stdio: "inherit" })
  // A terminal sends SIGINT and SIGQUIT to the whole group, so the child has them already; it must not be left behind.
  const ignore = () => {}
  process.on("SIGINT", ignore)
  process.on("SIGQUIT", ignore)
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  if (startedByNpx) onOrphaned(() => child.kill("SIGTERM"))
  child.on("error", (error) => {
    refuse(`${node} did not start: ${error.message}`)
    process.exit()
  })
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    // Die of the same signal, so that a shell or supervisor sees what happened; 128 + n where that does not end us.
    for (const name of ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(name)
    process.kill(process.pid, signal)
    setTimeout(() => process.exit(128 + constants.signals[signal]), PARENT_CHECK_MS)
  })
}

const startedByNpx = process.env.npm_command === "exec"
const node = findNode()
if (node === undefined) refuse(`needs Node.js ${REQUIRED_NODE_MAJOR} or newer; run \`npm ci\`, which brings it`)
else if (!existsSync(main)) refuse("is not built; run `npm run build`")
else {
  const args = [main, ...process.argv.slice(2)]
  // Replacing this process leaves no parent in between. `process.execve` came with Node.js 22.15, not on Windows.
  const canReplace = typeof process.execve === "function" && process.platform !== "win32" && !startedByNpx
  if (canReplace) process.execve(node, [node, ...args], process.env)
  else runChild(node, args)
}
