/** What the users of the broker may do by their roles, out of the topic table. */
import { accessOf, type TopicBase } from '../uplink/topics.ts'
import type { BrokerAccount, KnownAccount } from './acl.ts'

export function withAccess(users: readonly BrokerAccount[], base: TopicBase): KnownAccount[] {
  return users.map((user) => ({ ...user, access: accessOf(user.role, base, user.name) }))
}
