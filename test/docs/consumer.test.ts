/** The consumer that the docs show to integrators, against a real broker and a site that repeats and loses. */
import { afterEach, expect, it } from 'vitest'
import { consume } from '../../docs/examples/consumer.ts'
import { BASE, client, until } from '../gateway/uplink/helpers.ts'
import { startMosquitto } from '../harness/mosquitto.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

it('does every event once, asks once for what is missing, and leaves other sites alone', async () => {
  const broker = await startMosquitto()
  cleanups.push(() => broker.stop())
  const done: string[] = []
  const consumer = consume(broker.url, (site, event) => done.push(`${site}:${event.sequence}`))
  cleanups.push(() => consumer.endAsync(true))
  const site = client(broker.url)
  cleanups.push(() => site.endAsync(true))
  const asked: { do: string; from: number; expires: string }[] = []
  const send = (name: string, sequence: number) =>
    site.publishAsync(
      `${BASE.root}/${name}/lane/import-1/event`,
      JSON.stringify({ specversion: '1.0', id: `${name}:${sequence}`, sequence: `${sequence}`, type: 't', source: 's' }),
      { qos: 1 },
    )
  site.on('message', (_, payload) => {
    const command = JSON.parse(payload.toString()) as (typeof asked)[number]
    asked.push(command)
    for (let n = command.from; n <= 14; n++) void send('a', n)
  })
  await site.subscribeAsync(`${BASE.root}/a/command`, { qos: 1 })
  await until(() => consumer.connected)
  // The subscription stands once something comes through.
  while (done.length === 0) await send('a', 7)
  for (const n of [8, 8, 9, 11, 12, 7]) await send('a', n)
  await send('b', 100)
  await until(
    () => done.length >= 9,
    () => done,
  )
  for (const n of [13, 14]) await send('a', n)
  await until(
    () => done.includes('a:14'),
    () => done,
  )
  expect(done.filter((d) => d.startsWith('a:')).sort((x, y) => Number(x.slice(2)) - Number(y.slice(2)))).toEqual(
    [7, 8, 9, 10, 11, 12, 13, 14].map((n) => `a:${n}`),
  )
  expect(done).toContain('b:100')
  expect(asked.map((c) => [c.do, c.from])).toEqual([['resend-from', 10]])
  expect(Date.parse(asked[0]!.expires)).toBeGreaterThan(Date.now())
})
