/** One half of a smart gate as a process that is killed: a journal and the way to the other half. Every line on stdin is a vehicle that leaves. */
import { createInterface } from 'node:readline'
import { createJournal } from '../../../gateway/journal/create.ts'
import { channelOf, cleared } from './channel.ts'

const [, , dir, url] = process.argv
const journal = createJournal({ dir: dir!, site: 'a', minFreeMb: 16 })
await journal.open()
const { link, channel } = channelOf('a', url!, journal)
await channel.start()
link.start()
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [plate, passage] = line.split(' ')
  await journal.append([cleared('export', plate!, passage!)])
  process.stdout.write(`${plate}\n`)
}
