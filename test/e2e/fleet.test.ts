/** A small country: gates with the real way up, a NATS cluster of three nodes, one killed and brought back; who may speak for whom. */
import { afterEach, expect, it } from 'vitest'
import { accessProblems } from '../fleet/access.ts'
import { BROKERS } from '../fleet/brokers.ts'
import { runFleet } from '../fleet/fleet.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const OWN = { name: 'kim-thanh', password: 'one' }
const OTHER = { name: 'huu-nghi', password: 'two' }

it.each(['nats', 'mosquitto'] as const)(
  '%s, as docs/examples configures it: a gate speaks and hears below its own site, as the topic table says, and nowhere else',
  async (name) => {
    const broker = await BROKERS[name]([OWN, OTHER])
    undo.push(() => broker.stop())
    expect(await accessProblems(broker, OWN, OTHER)).toEqual([])
  },
)

it('ten gates and three NATS nodes, one of them killed and brought back: every event reaches the centre by itself', async () => {
  const said: string[] = []
  const say = (line: string) => said.push(line)
  const result = await runFleet({ broker: 'nats', gates: 10, trucks: 20, seconds: 20, processes: 1, kills: 1, seed: 'fleet', say })
  expect(result, said.join('\n')).toMatchObject({ missing: 0, lost: 0, wrong: [], unique: result.events })
  expect(result.kills).toHaveLength(1)
  expect(result.events).toBeGreaterThan(10 * 20 * 4)
}, 400_000)
