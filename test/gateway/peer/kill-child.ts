/** One half of a smart gate as a process that is killed: a journal and the way to the other half. Every line on stdin is a vehicle that leaves. */
import { createInterface } from 'node:readline'
import { DeclarationIndex } from '../../../gateway/identity/declarations.ts'
import { createJournal } from '../../../gateway/journal/create.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { PeerChannel } from '../../../gateway/peer/channel.ts'
import { BrokerConnection } from '../../../gateway/uplink/connection.ts'
import { cleared, settingsOf } from './channel.ts'

const [, , dir, url] = process.argv
const journal = createJournal({ dir: dir!, site: 'a', minFreeMb: 16 })
await journal.open()
const link = new BrokerConnection({ name: 'a', url: url!, clientId: 'a', clock: systemClock, log: silentLog })
const channel = new PeerChannel({
  root: 'luong/v1',
  site: 'a',
  settings: settingsOf('b', 'export'),
  share: ['trailer'],
  link,
  journal,
  declarations: new DeclarationIndex(),
  mayTurn: () => null,
  clock: systemClock,
  quality: () => ({ synced: null, offset_ms: null }),
  log: silentLog,
})
await channel.start()
link.start()
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [plate, passage] = line.split(' ')
  await journal.append([cleared('export', plate!, passage!)])
  process.stdout.write(`${plate}\n`)
}
