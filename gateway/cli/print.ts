/** How commands that look into a data folder write and end. */
import { once } from 'node:events'

export interface Printer {
  /** Writes a line; waits while the reader at the other end is slower. False once it has gone away (`| head`). */
  line(text: string): Promise<boolean>
}

/** Prints on standard output. */
export function printer(out: NodeJS.WriteStream = process.stdout): Printer {
  let gone = false
  out.on('error', () => {
    gone = true
  })
  return {
    async line(text) {
      if (gone) return false
      if (!out.write(`${text}\n`)) await Promise.race([once(out, 'drain'), once(out, 'close')]).catch(() => {})
      return !gone
    },
  }
}

/** Runs a command; what `work` returns is the exit code. Errors go on to the caller, who tells them. */
export async function finish(work: () => Promise<number>): Promise<void> {
  process.exitCode = await work()
}
