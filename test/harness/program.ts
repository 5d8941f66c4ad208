/** Programs as processes of their own: `luong` from dist/, and what Debian brings. What they say is kept. */
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { until } from './chaos-site.ts'
import { plainEnv } from './plain-env.ts'

export interface Program {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  /** Exit code; null when a signal ended it. */
  readonly exit: Promise<number | null>
  readonly ended: () => boolean
  /** Waits for text on stdout or stderr; fails when the program ends before. Returns the match. */
  says(pattern: RegExp, ms?: number): Promise<RegExpExecArray>
  signal(signal: NodeJS.Signals): void
  /** SIGKILL where it still runs; resolves when it is gone. */
  kill(): Promise<void>
}

const KEPT = 4_000_000
export const MAIN = resolve('dist/gateway/cli/main.js')

/** @param input what it reads on standard input, which ends behind it; absent: nothing, null: what the test writes */
export function startProgram(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
  input: string | null = '',
): Program {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: plainEnv(env) })
  child.stdin.on('error', () => {})
  if (input !== null) child.stdin.end(input)
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (d: string) => {
    said.out = (said.out + d).slice(-KEPT)
  })
  child.stderr.setEncoding('utf8').on('data', (d: string) => {
    said.err = (said.err + d).slice(-KEPT)
  })
  let over = false
  const exit = new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', (code) => {
      over = true
      done(code)
    })
  })
  const both = () => `${said.out}${said.err}`
  return {
    child,
    out: () => said.out,
    err: () => said.err,
    exit,
    ended: () => over,
    async says(pattern, ms = 60_000) {
      const found = await until(`${command} ${args[1] ?? ''} says ${pattern}`, () => pattern.exec(both()) ?? over, ms).catch((error) => {
        throw new Error(`${error}\n${both().slice(-3_000)}`)
      })
      const match = found === true ? pattern.exec(both()) : found
      if (!match)
        throw new Error(
          `${command} ${args[1] ?? ''} ended (${child.exitCode ?? child.signalCode}) without saying ${pattern}:\n${both().slice(-3_000)}`,
        )
      return match
    },
    signal: (signal) => void child.kill(signal),
    async kill() {
      if (over) return
      child.kill('SIGKILL')
      await exit
    },
  }
}

/** `luong …` as installed. */
export function startLuong(...args: readonly string[]): Program {
  return startProgram(process.execPath, [MAIN, ...args])
}

/** A `luong` command to its end. */
export async function luong(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return ended(startLuong(...args))
}

/** The same, with what it reads on standard input and more environment. */
export function luongWith(
  { input = '', env = {} }: { readonly input?: string; readonly env?: Record<string, string> },
  ...args: readonly string[]
) {
  return ended(startProgram(process.execPath, [MAIN, ...args], env, input))
}

async function ended(program: Program): Promise<{ code: number | null; out: string; err: string }> {
  const code = await program.exit
  return { code, out: program.out(), err: program.err() }
}
