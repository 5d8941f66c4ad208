#!/usr/bin/env node
/** `luong`: one file a command. Exit codes: 0 done, 1 failed, 2 bad usage. */
import { Command, CommanderError } from 'commander'
import { LuongError, messageOf } from '../kernel/errors.ts'
import { ProblemsError, problemLine } from '../kernel/problems.ts'
import { version } from '../version.ts'

/** Loaded only when asked for: `luong --help` needs no native module. */
const COMMANDS: readonly (() => Promise<(program: Command) => void>)[] = [
  async () => (await import('./run.ts')).run,
  async () => (await import('./start.ts')).start,
  async () => (await import('./simulate.ts')).simulate,
  async () => (await import('./check.ts')).check,
  async () => (await import('./read.ts')).registerRead,
  async () => (await import('./probe.ts')).probe,
  async () => (await import('./journal.ts')).journal,
  async () => (await import('./replay.ts')).replay,
  async () => (await import('./report.ts')).report,
  async () => (await import('./schema.ts')).schema,
  async () => (await import('./backup.ts')).backup,
]

/** Prints an error as a person wants it: what, where, what to do. */
export function printError(error: unknown, json: boolean): void {
  if (json) {
    const body =
      error instanceof LuongError
        ? { code: error.code, message: error.message, hint: error.hint }
        : { code: 'UNEXPECTED', message: messageOf(error) }
    process.stdout.write(`${JSON.stringify({ error: body })}\n`)
    return
  }
  if (error instanceof ProblemsError) {
    for (const p of error.problems) process.stderr.write(`${problemLine(p)}\n`)
    return
  }
  if (error instanceof LuongError) process.stderr.write(`luong: ${error.message}\n  ${error.hint}\n`)
  else process.stderr.write(`luong: unexpected error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
}

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('luong')
    .description('Lane controller for smart border gates')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(luong COMMAND --help tells more)')
  for (const load of COMMANDS) (await load())(program)
  for (const c of program.commands) c.exitOverride()
  try {
    await program.parseAsync(argv as string[])
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2
      return
    }
    printError(error, argv.includes('--json'))
    process.exitCode = error instanceof LuongError && error.code === 'BAD_USAGE' ? 2 : 1
  }
}

await main(process.argv)
