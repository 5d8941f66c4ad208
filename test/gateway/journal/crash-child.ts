/** Appends at full speed until it is killed; one line on standard output for each append that was acknowledged. */
import { writeSync } from 'node:fs'
import { event, input, opened } from './fixtures.ts'

const [dir, round] = process.argv.slice(2)
const journal = await opened(dir!)
writeSync(1, 'ready\n')
for (let i = 0; ; i += 8) {
  const appends = Array.from({ length: 8 }, async (_, k) => {
    const passage = `R${round}-${i + k}`
    const { sequences } = await journal.append([input(passage, { kind: 'sensor' }), event('arrived', passage), event('cleared', passage)])
    writeSync(1, `${passage} ${sequences.join(' ')}\n`)
  })
  // Two bursts overlap, so that there is always one under way.
  if (i % 16 === 0) await Promise.all(appends)
}
