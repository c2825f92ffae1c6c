/**
 * Installs the clients before their tests, once: `npm ci` in this folder when it was never done, or not since the lock file
 * changed. They are a package of their own, so that the product's own tree stays small.
 */
import { execFile } from "node:child_process"
import { stat } from "node:fs/promises"
import { join } from "node:path"

const INSTALL_MS_MAX = 300_000

const folder = import.meta.dirname

const changedMs = (path: string): Promise<number> => stat(join(folder, path)).then((found) => found.mtimeMs, () => 0)

const install = (): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile("npm", ["ci"], { cwd: folder, timeout: INSTALL_MS_MAX }, (error, stdout, stderr) => {
      if (error === null) return resolve()
      const reason = error.killed === true ? `it took longer than ${INSTALL_MS_MAX / 1000} s` : `${stdout}${stderr}`
      reject(new Error(`The client tests need their packages: "npm ci" in test/clients failed: ${reason}`))
    })
  })

export const setup = async (): Promise<void> => {
  // npm writes this file at the end of an install.
  const installed = await changedMs("node_modules/.package-lock.json")
  if (installed < await changedMs("package-lock.json")) await install()
}
