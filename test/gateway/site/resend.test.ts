/** `resend-from` at a site with two brokers: who asks gets it again, and nobody else. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { Consumer, client, until } from '../uplink/helpers.ts'
import { smallSite } from './small-site.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

it('comes again at the broker where it was asked for, and at no other', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'luong-resend-'))
  undo.push(() => rmSync(dir, { recursive: true, force: true }))
  const mosquitto = await startMosquitto()
  undo.push(() => mosquitto.stop())
  const gateway = await smallSite(dir, { uplink: { url: mosquitto.url } })
  undo.push(() => gateway.stop())
  await gateway.start()
  const centre = async (url: string) => {
    const mqtt = client(url)
    undo.push(() => mqtt.endAsync(true))
    const seen = new Consumer()
    mqtt.on('message', (topic, payload) => topic.endsWith('/event') && seen.take(topic, payload))
    await mqtt.subscribeAsync('luong/v1/loi-mo/#', { qos: 1 })
    let no = 0
    const order = async (what: object) => {
      const command = { id: `c-${url}-${++no}`.replace(/[^\w-]/g, '-'), by: 'centre', reason: 'test', ...what }
      const expires = new Date(Date.now() + 60_000).toISOString()
      await mqtt.publishAsync('luong/v1/loi-mo/command', JSON.stringify({ ...command, expires }), { qos: 1 })
    }
    return { seen, order }
  }
  const [here, up] = [await centre(gateway.mqttUrl!), await centre(mosquitto.url)]
  // Both have heard something from both.
  await here.order({ do: 'close-lane', lane: 'nowhere' })
  await up.order({ do: 'close-lane', lane: 'nowhere' })
  const last = () => gateway.journal.head().sequence
  await until(() => last() >= 3 && [here, up].every(({ seen }) => seen.texts.has(last())))
  for (const [asks, other] of [
    [up, here],
    [here, up],
  ] as const) {
    const before = last()
    const heard = other.seen.duplicates
    await asks.order({ do: 'resend-from', from: 1 })
    // What it was recorded with goes behind all that comes again.
    await until(() => last() > before && [here, up].every(({ seen }) => seen.texts.has(last())))
    await until(() => asks.seen.complete === last() && asks.seen.duplicates >= before - 1)
    expect(other.seen.duplicates).toBe(heard)
  }
})
