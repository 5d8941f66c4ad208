/** A disk that takes nothing for a while: commands wait until they are durable, and what sensors say does not wait behind them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { client, until } from '../uplink/helpers.ts'
import { smallSite } from './small-site.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

it('a sensor over MQTT is heard while commands wait for the disk, and those are acted on in order when it goes on', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'luong-stalled-'))
  undo.push(() => rmSync(dir, { recursive: true, force: true }))
  const pad = { driver: 'mqtt-io', link: 'local', stale_ms: 60_000, inputs: { loop: { topic: 'pad/loop', on: '1', off: '0' } } }
  const gateway = await smallSite(dir, { devices: { pad }, lanes: { lane: { sensors: { approach: 'pad.loop', presence: 'io.di2' } } } })
  undo.push(() => gateway.stop())
  await gateway.start()
  const mqtt = client(gateway.mqttUrl!)
  undo.push(() => mqtt.endAsync(true))
  const answers: string[] = []
  mqtt.on('message', (_, payload) => answers.push(JSON.parse(payload.toString()).id))
  await mqtt.subscribeAsync('luong/v1/loi-mo/command/reply', { qos: 1 })
  const sensed = async (value: '0' | '1') => {
    // Again and again: the gateway may just be connecting.
    const say = () => mqtt.publish('pad/loop', value, { qos: 1 })
    const saying = setInterval(say, 250)
    undo.push(() => clearInterval(saying))
    say()
    await until(() => gateway.lane('lane')!.state.sensors.approach === (value === '1'))
    clearInterval(saying)
  }
  await sensed('0')
  const { journal } = gateway
  const put = journal.putDocument.bind(journal)
  let goOn = () => {}
  const stalled = new Promise<void>((resolve) => {
    goOn = resolve
  })
  let waiting = 0
  journal.putDocument = async (...document) => {
    waiting++
    await stalled
    return put(...document)
  }
  // Each of them is waited for up to ten seconds before the next is read.
  const ids = Array.from({ length: 5 }, (_, i) => `c-${i}`)
  const expires = new Date(Date.now() + 120_000).toISOString()
  for (const id of ids)
    await mqtt.publishAsync(
      'luong/v1/loi-mo/command',
      JSON.stringify({ id, do: 'resend-from', from: 1, by: 'centre', reason: 'test', expires }),
      { qos: 1 },
    )
  await until(() => waiting > 0)
  await sensed('1')
  await sensed('0')
  expect(answers).toEqual([])
  goOn()
  await until(
    () => answers.length === ids.length,
    () => answers,
  )
  expect(answers).toEqual(ids)
}, 120_000)
