import { afterEach, expect, it } from 'vitest'
import { type HealthServer, LoopDelay, startHealth } from '../../../gateway/site/health.ts'

const servers: HealthServer[] = []
afterEach(() => Promise.all(servers.splice(0).map((s) => s.stop())))

async function serve(ok = true) {
  const server = await startHealth({
    host: '127.0.0.1',
    port: 0,
    health: () => ({ ok, problems: ok ? [] : ['device io-1 is down: io-1 did not answer'] }),
    samples: () => [
      { name: 'luong_link_up', help: 'x', labels: { link: 'bus' }, value: 1 },
      { name: 'luong_link_up', help: 'x', labels: { link: 'local' }, value: 0 },
    ],
  })
  servers.push(server)
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init)
}

it('/health says 200 or 503, and why', async () => {
  expect((await (await serve())('/health')).status).toBe(200)
  const bad = await (await serve(false))('/health')
  expect(bad.status).toBe(503)
  expect(await bad.json()).toMatchObject({ problems: [expect.stringContaining('io-1')] })
})

it('/metrics is Prometheus text, also the second time', async () => {
  const get = await serve()
  await get('/metrics')
  const text = await (await get('/metrics')).text()
  expect(text).toContain('luong_link_up{link="bus"} 1')
  expect(text).toContain('luong_link_up{link="local"} 0')
  expect(text).toContain('process_resident_memory_bytes')
})

it('anything else is refused', async () => {
  const get = await serve()
  expect((await get('/')).status).toBe(404)
  expect((await get('/health', { method: 'POST' })).status).toBe(405)
})

it('a port in use is named', async () => {
  await serve()
  const port = servers[0]!.port
  const again = startHealth({ host: '127.0.0.1', port, health: () => ({ ok: true, problems: [] }), samples: () => [] })
  await expect(again).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining(String(port)) })
})

it('measures the delay of the event loop', async () => {
  const delay = new LoopDelay()
  delay.start()
  await new Promise((r) => setTimeout(r, 20))
  const until = performance.now() + 300
  while (performance.now() < until);
  await new Promise((r) => setTimeout(r, 20))
  expect(delay.read().max).toBeGreaterThan(100)
  delay.stop()
})
