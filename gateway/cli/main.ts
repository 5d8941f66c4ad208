#!/usr/bin/env node
/** `luong`: one file a command. Exit codes: 0 done, 1 failed, 2 bad usage. */
import { Command, CommanderError } from 'commander'
import { LuongError, messageOf } from '../kernel/errors.ts'
import { ProblemsError, problemLine } from '../kernel/problems.ts'
import { version } from '../version.ts'

/** Each is loaded only when it is asked for, so that none pays for what another one needs; `--help` loads all. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  run: async () => (await import('./run.ts')).run,
  start: async () => (await import('./start.ts')).start,
  simulate: async () => (await import('./simulate.ts')).simulate,
  check: async () => (await import('./check.ts')).check,
  rules: async () => (await import('./rules.ts')).rules,
  declarations: async () => (await import('./declarations.ts')).declarations,
  read: async () => (await import('./read.ts')).registerRead,
  probe: async () => (await import('./probe.ts')).probe,
  journal: async () => (await import('./journal.ts')).journal,
  replay: async () => (await import('./replay.ts')).replay,
  report: async () => (await import('./report.ts')).report,
  schema: async () => (await import('./schema.ts')).schema,
  secret: async () => (await import('./secret.ts')).secret,
  continue: async () => (await import('./continue.ts')).register,
  backup: async () => (await import('./backup.ts')).backup,
}
/** Commands that another one's file registers. */
const BESIDE: Readonly<Record<string, string>> = { restore: 'backup' }

/** Prints an error as a person wants it: what, where, what to do. */
export function printError(error: unknown, json: boolean): void {
  if (json) {
    const problems = error instanceof ProblemsError ? { problems: error.problems } : {}
    const body =
      error instanceof LuongError
        ? { code: error.code, message: error.message, hint: error.hint, ...problems }
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

/** Whoever read the output is gone (`| head`): what runs on for people to see is asked to stop, anything else ends quietly. */
function readerGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  if (process.listenerCount('SIGTERM') > 0) process.emit('SIGTERM')
}

async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', readerGone)
  const program = new Command('luong')
    .description('Lane controller for smart border gates')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(luong COMMAND --help tells more)')
  const asked = COMMANDS[BESIDE[argv[2] ?? ''] ?? argv[2] ?? '']
  for (const load of asked ? [asked] : Object.values(COMMANDS)) (await load())(program)
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
