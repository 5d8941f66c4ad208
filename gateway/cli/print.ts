/** How commands that look into a data folder write, fail and end. */
import { once } from 'node:events'
import { LuongError, messageOf } from '../kernel/errors.ts'

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

/** Runs a command and sets the exit code: what `work` returns, 2 for wrong usage, 1 for any other failure, told in words. */
export async function finish(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work()
  } catch (error) {
    process.stderr.write(`luong: ${messageOf(error)}\n`)
    if (error instanceof LuongError) process.stderr.write(`  ${error.hint}\n`)
    process.exitCode = error instanceof LuongError && error.code === 'BAD_USAGE' ? 2 : 1
  }
}

/** Columns of a table, the first left-aligned, the others right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? []
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')).join('\n')
}
