/** The other half of a smart gate: is it another one, and can it come in. */
import { among, type Finding, type SiteView } from './view.ts'

export function checkPeer({ broker, id, lanes, peer }: SiteView): Finding[] {
  const out: Finding[] = []
  if (peer !== null && peer.site === id)
    out.push({ path: ['peer', 'site'], message: `${id} is this site itself`, hint: 'give the site id of the other half' })
  for (const lane of Object.keys(peer?.roads ?? {}))
    if (!lanes.has(lane))
      out.push({ path: ['peer', 'roads', lane], key: true, message: `there is no lane "${lane}"`, hint: among(lane, lanes.keys(), 'lane') })
  if (broker === null || !('embedded' in broker)) return out
  const { users } = broker.embedded
  users.forEach((user, i) => {
    if (user.role !== 'peer' || user.name === peer?.site) return
    const hint = peer === null ? 'add `peer`, or give the user another role' : `name it ${peer.site}`
    out.push({ path: ['broker', 'embedded', 'users', i, 'name'], message: 'a user with role peer has the site id of the other half', hint })
  })
  if (peer !== null && !peer.broker && users.length > 0 && !users.some((u) => u.role === 'peer'))
    out.push({
      path: ['peer', 'site'],
      message: 'the other half cannot connect: no user of the broker has the role peer',
      hint: `add { name: ${peer.site}, role: peer, password: … } to broker.embedded.users, or give peer.broker`,
    })
  return out
}
