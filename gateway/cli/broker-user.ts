/** As which of its users a command connects to the embedded broker of a running gateway. */
import type { BrokerUser } from '../../config/schema/broker.ts'
import { LuongError } from '../kernel/errors.ts'
import { askPassword } from './ask.ts'

export interface Login {
  readonly username: string
  readonly password: string
}

export const USER_OPTION = [
  '--user <name>',
  'user of the embedded broker to connect as; asks for the password where only its hash is known',
] as const

/**
 * The user named, or the first one of these roles whose password the site file names. Null: the broker has no users, or none that fits.
 * @throws BAD_USAGE when there is no such user, or a password is needed that only a hash is known of
 */
export async function brokerLogin(
  users: readonly BrokerUser[],
  roles: readonly BrokerUser['role'][],
  asked: string | undefined,
): Promise<Login | null> {
  if (asked !== undefined) {
    const user = users.find((u) => u.name === asked)
    if (!user)
      throw new LuongError('BAD_USAGE', `the embedded broker has no user ${asked}`, {
        hint: users.length === 0 ? 'It has no users at all: leave --user out.' : `It has ${users.map((u) => u.name).join(', ')}.`,
      })
    return { username: user.name, password: user.password?.reveal() ?? (await askPassword(`Password of ${user.name}: `)) }
  }
  const fit = roles.flatMap((role) => users.filter((u) => u.role === role))
  const known = fit.find((u) => u.password)
  if (known?.password) return { username: known.name, password: known.password.reveal() }
  const [first] = fit
  if (!first) return null
  const names = fit.map((u) => `${u.name} (${u.role})`).join(', ')
  throw new LuongError('BAD_USAGE', `only hashes are known of the passwords with which to connect to the broker: ${names}`, {
    hint: `Add --user ${first.name} and type its password when asked, or give it on standard input.`,
  })
}
