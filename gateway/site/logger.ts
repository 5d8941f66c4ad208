/** The one place that knows pino. Secrets never reach the log; plates do only where a technician asks for it. */
import { pino } from 'pino'
import type { Log } from '../kernel/log.ts'
import { harmlessEnv } from '../kernel/worker-url.ts'

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Readable lines for a person instead of JSON. */
  readonly pretty: boolean
  readonly destination?: NodeJS.WritableStream
}

const SECRETS = [
  'password',
  '*.password',
  '*.*.password',
  'secret',
  '*.secret',
  'token',
  '*.token',
  'users[*].password',
  'authorization',
  '*.authorization',
]

/** `user:password@host` in URLs that stand in messages of libraries. */
export function withoutCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s:]+(:[^/@\s]*)?@/gi, '$1[redacted]@')
}

export function createLogger({ level, pretty, destination }: LoggerOptions): Log {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: { paths: SECRETS, censor: '[redacted]' },
    hooks: {
      logMethod(args: Parameters<typeof wrapped>, method: (...a: unknown[]) => void) {
        method.apply(this, args.map((a) => (typeof a === 'string' ? withoutCredentials(a) : a)) as [unknown])
      },
    },
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: object) =>
        Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, typeof v === 'string' ? withoutCredentials(v) : v])),
    },
  }
  const wrapped = (..._: unknown[]) => {}
  if (pretty)
    return pino({
      ...options,
      transport: {
        target: 'pino-pretty',
        worker: { env: harmlessEnv() },
        options: { colorize: process.stderr.isTTY, destination: 2, translateTime: 'SYS:HH:MM:ss' },
      },
    })
  return pino(options, destination ?? pino.destination({ fd: 2, sync: false }))
}
