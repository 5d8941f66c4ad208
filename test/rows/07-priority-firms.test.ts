/** Row 7: firms on the list get what the gate agreed with them: in the yellow channel papers are checked after the truck has passed. */
import { it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

const FIRM = { firm: 'Lao Cai Logistics', firm_id: '5300123456' }

it.each(['Lao Cai Logistics', '5300123456'])('listed as %s: passes in the yellow channel, as nobody else does', async (key) => {
  const g = await gate()
  g.list('priority-firm', key)
  g.declare({ ...FIRM, channel: 'yellow' })
  g.declare({ plate: '24C99999', firm: 'Other', channel: 'yellow' })
  expectDecided(await g.arrive('import-1'), 'pass', 'priority-firm', 'Lao Cai Logistics')
  expectDecided(await g.arrive('import-1', { plate: '24C99999' }), 'refer', 'channel-yellow', 'D2')
})

it('is inspected in the red channel, and checked against everything else', async () => {
  const g = await gate()
  g.list('priority-firm', FIRM.firm)
  g.declare({ ...FIRM, plate: '24C00001', channel: 'red' })
  g.declare({ ...FIRM, plate: '24C00002', channel: 'yellow', trailer: '24RM04466' })
  g.declare({ ...FIRM, plate: '24C00003', channel: 'yellow' })
  g.list('detained', '24C00003')
  expectDecided(await g.arrive('import-1', { plate: '24C00001' }), 'refer', 'channel-red')
  expectDecided(await g.arrive('import-1', { plate: '24C00002', rear: '24RM00817' }), 'refer', 'swapped-trailer', '24RM00817')
  expectDecided(await g.arrive('import-1', { plate: '24C00003' }), 'refer', 'detained')
})
