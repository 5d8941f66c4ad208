/** A site's way to the centre over a restart: what the centre says meanwhile is not lost. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { BASE, openUplink } from '../../harness/uplink-rig.ts'
import { client, until } from '../uplink/helpers.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

it('gets after a restart what was ordered while it was away: the broker keeps its subscriptions over a clean stop', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'luong-links-'))
  undo.push(() => rmSync(dir, { recursive: true, force: true }))
  const mosquitto = await startMosquitto()
  undo.push(() => mosquitto.stop())
  const centre = client(mosquitto.url)
  undo.push(() => centre.endAsync(true))
  const replies: string[] = []
  centre.on('message', (_, payload) => replies.push(payload.toString()))
  await centre.subscribeAsync(`${BASE.root}/${BASE.site}/command/reply`, { qos: 1 })
  const order = (id: string) => {
    const expires = new Date(Date.now() + 60_000).toISOString()
    const command = { id, do: 'close-lane', lane: 'nowhere', by: 'centre', reason: 'test', expires }
    return centre.publishAsync(`${BASE.root}/${BASE.site}/command`, JSON.stringify(command), { qos: 1 })
  }
  const first = await openUplink({ dir, url: mosquitto.url })
  undo.push(() => first.stop())
  await until(() => first.connection.up)
  await order('c-1')
  await until(() => replies.length === 1)
  await first.stop()
  await order('c-2')
  const second = await openUplink({ dir, url: mosquitto.url })
  undo.push(() => second.stop())
  await until(() => replies.length === 2)
  expect(replies[1]).toContain('c-2')
})
