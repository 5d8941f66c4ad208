/** `luong secret`: what to write into a site file in place of a password. */
import type { Command } from 'commander'
import { hashPassword } from '../kernel/password-hash.ts'
import { askNewPassword } from './ask.ts'
import { finish, printer } from './print.ts'

interface Options {
  readonly json?: true
}

/** Shorter ones are guessed, whatever they are hashed with. */
const SHORT = 12

export function secret(program: Command): void {
  const group = program.command('secret').description('passwords of the users of the embedded broker')
  group
    .command('hash')
    .description('make the `password_hash` of a password that is typed, or comes on standard input; never as an argument, which others see')
    .option('--json', 'one JSON object')
    .action((options: Options) =>
      finish(async () => {
        const password = await askNewPassword()
        if (password.length < SHORT)
          process.stderr.write(`This password is short: who gets the hash can guess it. Better: openssl rand -base64 24\n`)
        const hash = await hashPassword(password)
        await printer().line(options.json ? JSON.stringify({ password_hash: hash }) : hash)
        return 0
      }),
    )
}
